"""[report]: who reads it, and how small a cell may be printed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whoworks.plan.table import Table, Whole

MOST = 1_000_000


class ReportTable(Table):
    """The report's reader and the smallest cell that is published."""

    audience: Literal["funder", "technical"] = Field(
        "funder", description="who reads the report", examples=['audience = "funder"']
    )
    min_cell: Whole = Field(
        10,
        description="students per published cell and arm, from 1 to a million",
        examples=["min_cell = 10"],
        ge=1,
        le=MOST,
    )
    min_clusters: Whole = Field(
        3,
        description="clusters per published cell and arm, from 1 to a million",
        examples=["min_clusters = 3"],
        ge=1,
        le=MOST,
    )
