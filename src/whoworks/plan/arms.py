"""[arms]: what was offered, as assigned."""

from __future__ import annotations

from pydantic import Field, field_validator

from whoworks.plan.codes import Code
from whoworks.plan.table import Column, Table, Words


class Arms(Table):
    """The column of the assignment, the control, and the treatments compared with it."""

    column: Column = Field(description="the column of the arm, as assigned", examples=['column = "arm"'])
    control: Code = Field(description="the control arm's code", examples=['control = "usual"'], min_length=1)
    treatments: tuple[Code, ...] = Field(
        description="other arms' codes", examples=['treatments = ["adaptive"]'], min_length=1
    )
    labels: dict[Code, Words] = Field(
        {},
        description="an arm's code = its words",
        examples=['labels = { usual = "usual practice", adaptive = "adaptive programme" }'],
    )

    @field_validator("treatments")
    @classmethod
    def _named_treatments(cls, treatments: tuple[str, ...]) -> tuple[str, ...]:
        if "" in treatments:
            raise ValueError("an arm's code is empty; rows without an arm are left out by themselves")
        return treatments

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the arms compared, control first."""
        return (self.control, *self.treatments)

    def label(self, code: str) -> str:
        """Return an arm's words: its label, else its code; a code that is only a number is called an arm."""
        return self.labels.get(code) or (f"arm {code}" if code.replace(".", "", 1).isdigit() else code)
