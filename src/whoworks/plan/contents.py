"""What a study plan says: its tables side by side, and what its references to columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from whoworks.plan.analysis import Analysis
from whoworks.plan.arms import Arms
from whoworks.plan.design import DesignTable
from whoworks.plan.missing import Missing
from whoworks.plan.moderators import Covariates, Moderator
from whoworks.plan.outcomes import Implementation, Outcome, TakeUp
from whoworks.plan.privacy import Privacy
from whoworks.plan.records import RecordTable
from whoworks.plan.report import ReportTable
from whoworks.plan.study import StudyTable
from whoworks.plan.table import Column, Table
from whoworks.plan.target import Target
from whoworks.plan.waves import Waves

STUDENT = "student"

TABLES: Mapping[str, type[Table]] = {
    "study": StudyTable,
    "records": RecordTable,
    "waves": Waves,
    "arms": Arms,
    "design": DesignTable,
    "outcomes": Outcome,
    "moderators": Moderator,
    "covariates": Covariates,
    "takeup": TakeUp,
    "implementation": Implementation,
    "target": Target,
    "missing": Missing,
    "privacy": Privacy,
    "analysis": Analysis,
    "report": ReportTable,
}


def read_tables(value: object) -> object:
    """Accept a single [records] where several may stand."""
    return [value] if isinstance(value, Mapping) else value


class Contents(Table):
    """What a plan says, one attribute per table of the file."""

    schema_version: Literal[1] = Field(alias="schema")
    study: StudyTable
    records: Annotated[tuple[RecordTable, ...], BeforeValidator(read_tables)] = (RecordTable(),)
    waves: Waves | None = None
    levels: dict[str, Column] = Field(
        {}, description="a level = its column, smallest first", examples=['class = "class_id"']
    )
    arms: Arms
    design: DesignTable
    outcomes: tuple[Outcome, ...]
    moderators: tuple[Moderator, ...] = ()
    covariates: Covariates = Covariates()
    takeup: TakeUp = TakeUp()
    implementation: Implementation = Implementation()
    target: Target | None = None
    missing: Missing = Missing()
    privacy: Privacy = Privacy()
    analysis: Analysis = Analysis()
    report: ReportTable = ReportTable()

    @field_validator("records")
    @classmethod
    def _at_least_a_spine(cls, records: tuple[RecordTable, ...]) -> tuple[RecordTable, ...]:
        return records or (RecordTable(),)

    @field_validator("outcomes")
    @classmethod
    def _one_primary(cls, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        if not outcomes or any(outcome.primary for outcome in outcomes):
            return outcomes
        return (outcomes[0].model_copy(update={"primary": True}), *outcomes[1:])

    @property
    def place_level(self) -> str:
        """The level whose places a target is made of: the design's site, else the largest level; "" for students."""
        largest = list(self.levels)[-1] if self.levels else ""
        return self.design.site or (largest if largest != STUDENT else "")

    def split_column(self, column: str) -> tuple[str, str]:
        """Split ``table.column`` at the name of a table of this plan; the table is "" where none is named."""
        for table in self.records:
            if column.startswith(f"{table.name}.") and len(column) > len(table.name) + 1:
                return table.name, column[len(table.name) + 1 :]
        return "", column

    def is_same(self, one: str, other: str) -> bool:
        """Tell whether two references can mean the same column."""
        (table, column), (other_table, other_column) = self.split_column(one), self.split_column(other)
        return column == other_column and (table == other_table or not table or not other_table)
