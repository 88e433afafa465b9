"""Error rates of the whole road, from records to graded findings, in worlds whose truth is known."""
