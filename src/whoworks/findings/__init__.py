"""From scores to graded findings: each is one small cluster-robust regression."""
