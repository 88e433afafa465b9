"""The names of the columns that whoworks writes: one place, so that a file and its reader agree."""

from __future__ import annotations

UNIT_ID = "unit_id"
ARM = "arm"
PROBABILITY = "probability"
UNITS = (UNIT_ID, ARM, PROBABILITY)  # beside the levels, whose names a plan chooses

FINDINGS = (
    "finding_id", "question", "outcome", "wave", "domain", "estimand", "contrast", "weighting",
    "moderator", "level", "reference", "quantity", "unit",
    "estimate", "std_error", "df_num", "df", "statistic", "p_value", "p_randomization", "p_adjusted",
    "adjustment", "family", "n_tests", "conf_low", "conf_high", "conf_level",
    "effect_size", "effect_size_low", "effect_size_high", "sd_used", "mde",
    "n_units", "n_clusters", "n_treated_clusters", "n_control_clusters", "status", "credibility", "suppressed",
)  # fmt: skip

CHECKS = ("check_id", "subject", "verdict", "value", "threshold", "n_units", "n_clusters", "sentence")

LEDGER = ("step", "reason", "outcome", "arm", "n_rows", "n_units", "n_clusters")

SUPPRESSED = ("file", "row", "column", "reason")
