"""[[moderators]]: measured before assignment; effects may differ along them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from whoworks.plan.codes import Code, code_text
from whoworks.plan.table import Column, Measure, Number, Table, Text, Truth, Words
from whoworks.plan.toml import write_line

LARGEST = 1e300


class Larger(Table):
    """The group in which the plan expects the larger effect."""

    larger: Code


def read_expectation(value: object) -> str | Larger | None:
    """Read which way the effect is expected to differ."""
    if value is None or value in ("increasing", "decreasing"):
        return value if isinstance(value, str) else None
    if isinstance(value, dict) and set(value) == {"larger"}:
        code = value["larger"]
        if isinstance(code, str | int | float):
            return Larger(larger=code_text(code))
    raise ValueError('it is { larger = "code" } for groups, "increasing" or "decreasing" for numbers')


def read_cut(value: object) -> str | tuple[float, ...] | None:
    """Read where a number is cut into groups for display."""
    if value is None or value in ("median", "terciles"):
        return value if isinstance(value, str) else None
    if isinstance(value, list | tuple) and value:
        edges = [edge for edge in value if isinstance(edge, int | float) and not isinstance(edge, bool)]
        rising = all(low < high for low, high in pairwise(edges))
        if len(edges) == len(value) and rising and all(abs(edge) < LARGEST for edge in edges):
            return tuple(float(edge) for edge in edges)
    raise ValueError('it is "median", "terciles" or a list of rising numbers')


Expectation = Annotated[Literal["increasing", "decreasing"] | Larger | None, PlainValidator(read_expectation)]
Cut = Annotated[Literal["median", "terciles"] | tuple[float, ...] | None, PlainValidator(read_cut)]


class Moderator(Measure):
    """One moderator: the level at which it varies, its groups or its cut, and what is expected of it."""

    label: Words = Field("", description="the moderator's words", examples=['label = "free or reduced-price lunch"'])
    level: Text = Field("", description="the level at which it varies", examples=['level = "student"'])
    kind: Literal["category", "number"] = Field(
        "category", description="what the values are", examples=['kind = "number"']
    )
    values: dict[Code, Words] = Field(
        {},
        description="a code = its words, the reference first",
        examples=['values = { N = "not eligible", Y = "eligible" }'],
    )
    cut: Cut = Field(None, description='"median", "terciles" or a list of numbers', examples=['cut = "terciles"'])
    planned: Truth = Field(
        False, description="whether it was planned before outcomes were seen", examples=["planned = true"]
    )
    expect: Expectation = Field(
        None, description="the direction expected beforehand", examples=['expect = { larger = "Y" }']
    )
    reliability: Number | None = Field(
        None, description="its reliability, above 0 and up to 1", examples=["reliability = 0.9"], gt=0, le=1
    )

    @field_validator("label")
    @classmethod
    def _labelled(cls, label: str, info: ValidationInfo) -> str:
        return label or str(info.data.get("column", ""))

    def objections(self) -> Iterator[tuple[str, str, str]]:
        """Yield key, sentence and line to paste for what contradicts itself."""
        if self.kind == "number":
            if self.values:
                yield "values", "a number has no list of values", 'kind = "category"'
            if isinstance(self.expect, Larger):
                yield "expect", "for a number the direction is a word", 'expect = "increasing"'
            return
        if self.cut is not None:
            yield "cut", "only a number can be cut", 'kind = "number"'
        if isinstance(self.expect, str):
            larger = list(self.values)[-1] if self.values else "code"
            yield "expect", f'"{self.expect}" is for numbers', write_line("expect", {"larger": larger})
        if len(self.values) == 1:
            yield "values", "a moderator has at least two groups, and one is listed", ""
        if isinstance(self.expect, Larger) and self.values and self.expect.larger not in self.values:
            listed = ", ".join(self.values)
            yield "expect", f"'{self.expect.larger}' is not among the values {listed}", ""


class Covariates(Table):
    """[covariates]: for precision only, measured before assignment."""

    columns: tuple[Column, ...] = Field(
        (), description="columns measured before assignment", examples=['columns = ["age", "sex"]']
    )
    labels: dict[Column, Words] = Field(
        {}, description="a column = its words", examples=['labels = { sex = "sex as registered" }']
    )

    def label(self, column: str) -> str:
        """Return a column's words: its label, else its name."""
        return self.labels.get(column) or column
