"""[analysis]: seed, confidence and the forest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whoworks.plan.table import Number, Table, Whole


class Analysis(Table):
    """What the computation needs beyond the design."""

    seed: Whole = Field(1, description="the seed, from 0", examples=["seed = 20260815"], ge=0, lt=2**63)
    confidence: Number = Field(
        0.95,
        description="the confidence of intervals, from 0.5 to 0.999",
        examples=["confidence = 0.95"],
        ge=0.5,
        le=0.999,
    )
    trees: Whole = Field(2000, description="how many trees, from 50", examples=["trees = 2000"], ge=50, le=1_000_000)
    engine: Literal["whoworks", "econml", "none"] = Field(
        "whoworks", description='the engine that predicts effects, or "none"', examples=['engine = "whoworks"']
    )
    refits: Whole = Field(
        5,
        description="further deals of the folds on which claims are estimated again",
        examples=["refits = 5"],
        ge=0,
        le=100,
    )
