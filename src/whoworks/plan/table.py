"""What every table of the plan has in common: unknown keys are refused and nothing changes after reading."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strict=True)]
Column = Annotated[str, StringConstraints(strict=True, pattern=r"\S")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Truth = Annotated[bool, Field(strict=True)]


class Table(BaseModel):
    """One table of the plan; a field's description and example are what an error message offers."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Measure(Table):
    """A column, in one wave where the records are long."""

    column: Column = Field(description="a column of the records", examples=['column = "score"'])
    wave: Text = Field("", description="a wave named in waves.order", examples=['wave = "spring"'])

    @property
    def name(self) -> str:
        """The column, followed by ``@wave`` where it is measured in a wave."""
        return f"{self.column}@{self.wave}" if self.wave else self.column
