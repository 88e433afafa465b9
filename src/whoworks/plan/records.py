"""[[records]]: the tables that hold the study's rows, and how they join."""

from __future__ import annotations

from pydantic import Field, field_validator

from whoworks.plan.conditions import Condition, read_conditions
from whoworks.plan.table import Column, Table, Text

LATER = ("exposure-log", "oneroster", "map-growth", "upgrade", "etrials", "terracotta")


class RecordTable(Table):
    """One table of records; the first of a plan is the spine, to which the others are joined."""

    name: Column = Field("records", description="a word for this table", examples=['name = "roster"'])
    path: Column | None = Field(
        None, description="a file, relative to the plan's folder", examples=['path = "pilot.csv"']
    )
    layout: Text = Field("table", description='"table"', examples=['layout = "table"'])
    key: tuple[Column, ...] = Field((), description="columns that name a row once", examples=['key = ["student_id"]'])
    keep: Text = Field(
        "",
        description="conditions on the rows to keep: column, operator, value, joined by 'and'",
        examples=["keep = \"grade == '6' and status == 'active'\""],
    )
    join: dict[str, Column] = Field(
        {},
        description="own column = table.column of a table above",
        examples=['join = { student = "roster.student_id" }'],
    )

    @field_validator("layout")
    @classmethod
    def _known_layout(cls, layout: str) -> str:
        if layout in LATER:
            raise ValueError(f'the layout "{layout}" comes in a later version; this one reads plain tables')
        if layout != "table":
            raise ValueError(f'"{layout}" is not a layout; this version reads plain tables')
        return layout

    @field_validator("path")
    @classmethod
    def _possible_path(cls, path: str | None) -> str | None:
        if path and "\0" in path:
            raise ValueError("no file's name holds the character \\u0000")
        return path

    @field_validator("keep")
    @classmethod
    def _readable_keep(cls, keep: str) -> str:
        read_conditions(keep)
        return keep

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of `keep`; a row stays when all hold."""
        return read_conditions(self.keep)
