"""[design]: how arms were given out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from whoworks.plan.codes import code_text
from whoworks.plan.study import Date
from whoworks.plan.table import Column, Table, Text

ROUNDING = 1e-3
RAREST = 1e-3


def require_share(value: object) -> float:
    """Return a probability strictly between 0 and 1, or say why it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"a probability lies between 0 and 1, and {value!r} does not")
    if not RAREST <= value <= 1 - RAREST:
        limits = f"from {RAREST} to {1 - RAREST}"
        raise ValueError(f"a probability {limits} leaves somebody in each arm, and {value!r} does not")
    return float(value)


def read_probability(value: object) -> float | str | dict[str, float] | None:
    """Read a probability: a number, a column, one number per arm, or "blocks"."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("it is empty")
        return value
    if not isinstance(value, dict):
        return require_share(value)
    shares = {code_text(code): require_share(share) for code, share in value.items()}
    total = sum(shares.values())
    if abs(total - 1) > ROUNDING:
        raise ValueError(f"the arms' probabilities sum to {total:.6g}, and should sum to 1")
    return {code: share / total for code, share in shares.items()}


Probability = Annotated[float | str | dict[str, float] | None, PlainValidator(read_probability)]


class DesignTable(Table):
    """What carries the arm, what was drawn, within what, and with which probability.

    `probability` is a number (of the treatment, two arms), a mapping from arm to
    number (summing to 1), the name of a column, "blocks" (the default
    where blocks are named), or None: the share among what was drawn in the whole
    study.
    """

    kind: Literal["randomised", "matched"] = Field(
        "randomised", description="how arms were given out", examples=['kind = "randomised"']
    )
    assigned: Column = Field(description="the level that carries the arm", examples=['assigned = "class"'])
    drawn: Text = Field("", description="the level that was drawn", examples=['drawn = "student"'])
    assigned_on: Date | None = Field(
        None, description="the day of assignment, year-month-day", examples=["assigned_on = 2026-09-04"]
    )
    blocks: tuple[Column, ...] = Field(
        (), description="levels within which arms were drawn", examples=['blocks = ["school"]']
    )
    site: Text = Field("", description="the level across which effects may vary", examples=['site = "school"'])
    probability: Probability = Field(
        None,
        description='a number from 0.001 to 0.999, a column, { arm = number }, or "blocks"',
        examples=["probability = 0.5"],
    )
    cluster: Text = Field("", description="the level that inference counts", examples=['cluster = "school"'])

    @field_validator("probability")
    @classmethod
    def _shares_of_blocks(
        cls, probability: float | str | dict[str, float] | None, info: ValidationInfo
    ) -> float | str | dict[str, float] | None:
        return "blocks" if probability is None and info.data.get("blocks") else probability

    @field_validator("drawn")
    @classmethod
    def _drawn_as_assigned(cls, drawn: str, info: ValidationInfo) -> str:
        return drawn or str(info.data.get("assigned", ""))
