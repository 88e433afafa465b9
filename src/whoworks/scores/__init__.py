"""Cross-fitted prognosis and orthogonal scores: computed once per outcome and contrast, then frozen."""
