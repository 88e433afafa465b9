"""P-values from the assignment itself, drawn again as the design drew it."""
