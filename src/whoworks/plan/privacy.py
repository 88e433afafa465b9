"""[privacy]: which columns are never read, and which names may be printed."""

from __future__ import annotations

from pydantic import Field

from whoworks.plan.table import Column, Table


class Privacy(Table):
    """Columns dropped before anything is looked at, columns vouched for, and groupings that may be named."""

    drop: tuple[Column, ...] = Field((), description="columns never read", examples=['drop = ["name", "email"]'])
    allow: tuple[Column, ...] = Field(
        (), description="columns that were flagged and are harmless", examples=['allow = ["birthq"]']
    )
    public: tuple[Column, ...] = Field(
        (), description="groupings whose names may be printed", examples=['public = ["school"]']
    )
