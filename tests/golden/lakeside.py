"""The shipped pilot's findings: as computed now, and as written down by ``make golden``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import whoworks as ww

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "data" / "synthetic" / "lakeside" / "plan.toml"
WRITTEN = Path(__file__).with_name("lakeside_findings.csv")


def recompute() -> pd.DataFrame:
    """Run the shipped pilot's plan and return its findings, nothing withheld."""
    return ww.Study.from_plan(PLAN).run().findings.frame


def read_written() -> pd.DataFrame:
    """Return the findings that were written down."""
    return pd.read_csv(WRITTEN, keep_default_na=False, dtype=str)
