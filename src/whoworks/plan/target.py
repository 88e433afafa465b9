"""[target]: the population that the findings should speak of, by its means, where someone knows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainValidator

from whoworks.plan.codes import code_text
from whoworks.plan.table import Column, Table

Entry = float | dict[str, float]


def read_number(value: object) -> float:
    """Read one number; truth values are none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
        return float(value)
    raise ValueError("it is a number, or a table of shares between 0 and 1, such as { N = 0.45, Y = 0.55 }")


def read_entry(value: object) -> Entry:
    """Read what is known of one column: a number, or a number for each group."""
    if isinstance(value, dict) and value:
        return {code_text(code): read_number(share) for code, share in value.items()}
    return read_number(value)


Known = Annotated[Entry, PlainValidator(read_entry)]


class Target(Table):
    """The target population: its name, means of moderators and pre-tests, and how far its sites differ in them."""

    name: Column = Field(description="the population's name", examples=['name = "all schools of the state"'])
    means: dict[str, Known] = Field(
        description="a moderator's or pre-test's column = its mean, or shares by group",
        examples=["means = { rit_fall = 208.0, frl = { N = 0.45, Y = 0.55 } }"],
    )
    sds: dict[str, Known] = Field(
        {},
        description="a column = the standard deviation between the population's sites",
        examples=["sds = { rit_fall = 5.0, frl = { Y = 0.20 } }"],
    )
