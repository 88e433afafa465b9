"""What every table of the plan has in common: unknown keys are refused and nothing changes after reading."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from whoworks.plan.codes import has_ink


def require_ink(words: str) -> str:
    """Refuse words in which nothing can be read; no words at all mean that a column or a code speaks for itself."""
    if words and not has_ink(words):
        raise ValueError("there is nothing in it that can be read; write words, or leave it out")
    return words


Text = Annotated[str, StringConstraints(strict=True)]
Words = Annotated[Text, AfterValidator(require_ink)]
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
