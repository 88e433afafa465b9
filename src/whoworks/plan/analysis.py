"""[analysis]: seed, confidence and the forest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whoworks.plan.table import Number, Table, Whole


class Analysis(Table):
    """What the computation needs beyond the design."""

    seed: Whole = Field(1, description="a whole number from 0", examples=["seed = 20260815"], ge=0, lt=2**63)
    confidence: Number = Field(
        0.95, description="a number between 0.5 and 1", examples=["confidence = 0.95"], ge=0.5, lt=1
    )
    trees: Whole = Field(2000, description="a whole number from 50", examples=["trees = 2000"], ge=50, le=1_000_000)
    engine: Literal["whoworks", "econml"] = Field(
        "whoworks", description="the forest's engine", examples=['engine = "whoworks"']
    )
