"""What the plan asks: the average, groups and slopes, gaps, contexts, waves, receipt, and arms against each other."""
