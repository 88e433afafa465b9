"""[[outcomes]]: what the programme should change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from whoworks.plan.codes import Code
from whoworks.plan.table import Column, Measure, Number, Table, Text, Truth, Words


def read_measure(value: object) -> object:
    """Accept a column's name where a measure is due."""
    return {"column": value} if isinstance(value, str) else value


class PreTest(Measure):
    """A measure taken before assignment, with its words where no moderator of the same measure has them."""

    label: Words = Field("", description="the pre-test's words", examples=['label = "mathematics, fall"'])


Baseline = Annotated[PreTest, BeforeValidator(read_measure)]
TINY, HUGE = 1e-6, 1e6  # between which every effect that would matter lies, in any unit


class Outcome(Measure):
    """One outcome, its pre-tests, and the smallest effect on it that would matter."""

    label: Words = Field("", description="the outcome's words", examples=['label = "mathematics, spring"'])
    baseline: tuple[Baseline, ...] = Field(
        (), description="pre-tests of this outcome", examples=['baseline = ["pretest"]']
    )
    primary: Truth = Field(False, description="whether it is a primary outcome", examples=["primary = true"])
    kind: Literal["continuous", "binary"] = Field(
        "continuous", description="what the values are", examples=['kind = "continuous"']
    )
    values: dict[Code, Words] = Field(
        {}, description="two codes = their words", examples=['values = { 1 = "passed", 0 = "not yet" }']
    )
    domain: Text = Field("", description="the subject it belongs to", examples=['domain = "mathematics"'])
    better: Literal["higher", "lower"] = Field(
        "higher", description="which direction is good", examples=['better = "higher"']
    )
    meaningful: Number | None = Field(
        None,
        description="the smallest effect that would matter, above 0 and up to a million",
        examples=["meaningful = 0.10"],
        ge=TINY,
        le=HUGE,
    )
    meaningful_in: Literal["sd", "units", "points"] = Field(
        "sd", description="what 'meaningful' is counted in", examples=['meaningful_in = "sd"']
    )
    bounds: tuple[Number, Number] | None = Field(
        None, description="the lowest and the highest score there can be", examples=["bounds = [0, 40]"]
    )
    reliability: Number | None = Field(
        None, description="its reliability, above 0 and up to 1", examples=["reliability = 0.85"], gt=0, le=1
    )

    @field_validator("label")
    @classmethod
    def _labelled(cls, label: str, info: ValidationInfo) -> str:
        return label or str(info.data.get("column", ""))

    @property
    def success(self) -> str:
        """The code that counts as 1 in a binary outcome: "1" of 0 and 1, else the first that `values` lists."""
        return "1" if not self.values or set(self.values) == {"0", "1"} else next(iter(self.values))

    @property
    def gain(self) -> float:
        """What turns an effect into a gain: -1 where lower is better."""
        return -1.0 if self.better == "lower" else 1.0

    def objections(self) -> Iterator[tuple[str, str, str]]:
        """Yield key, sentence and line to paste for what contradicts itself."""
        if self.kind == "binary" and self.values and len(self.values) != 2:
            yield "values", f"a binary outcome has two codes, and {len(self.values)} are listed", ""
        if self.bounds is not None and (self.kind == "binary" or not self.bounds[0] < self.bounds[1]):
            yield "bounds", "bounds are the lowest and the highest score of an outcome that is not binary", ""
        if self.kind != "binary" and self.values:
            yield "values", "only a binary outcome has values", 'kind = "binary"'
        if self.kind == "binary" and self.meaningful_in == "units":
            yield "meaningful_in", "a yes-or-no outcome is counted in percentage points", 'meaningful_in = "points"'
        if self.kind != "binary" and self.meaningful_in == "points":
            sentence = "percentage points are for binary outcomes; a test's own points are its units"
            yield "meaningful_in", sentence, 'meaningful_in = "units"'


class TakeUp(Table):
    """[takeup]: whether the programme was received at all."""

    column: Text = Field("", description="the column of any receipt, yes or no", examples=['column = "logged_in"'])


class Implementation(Table):
    """[implementation]: measured after assignment; described, never a moderator."""

    columns: tuple[Column, ...] = Field(
        (), description="columns measured after assignment", examples=['columns = ["minutes_used"]']
    )
