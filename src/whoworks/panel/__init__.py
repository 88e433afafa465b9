"""The panel: one row per unit, built from the records as the plan says."""
