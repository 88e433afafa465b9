"""[waves]: for long tables, when each row was measured."""

from __future__ import annotations

from pydantic import Field

from whoworks.plan.codes import Code
from whoworks.plan.table import Column, Table


class Waves(Table):
    """The column that names the wave, the waves in order of time, and those before assignment."""

    column: Column = Field(description="the column that says when a row was measured", examples=['column = "term"'])
    order: dict[str, Code] = Field(
        description="a word for each wave = its code in the column, earliest first",
        examples=['order = { fall = "Fall 2026", spring = "Spring 2027" }'],
        min_length=1,
    )
    before: tuple[Column, ...] = Field(
        (), description="waves measured before assignment", examples=['before = ["fall"]']
    )
