"""Checks: verdicts on the design that never see an outcome beside an arm."""
