"""[missing]: how the records write a value that is not there."""

from __future__ import annotations

from pydantic import Field

from whoworks.plan.codes import Code
from whoworks.plan.table import Table

CODES = ("", "NA", "N/A", ".")


class Missing(Table):
    """Codes of missing values everywhere, and more of them in single columns."""

    codes: tuple[Code, ...] = Field(CODES, description="codes", examples=['codes = ["", "NA", "N/A", "."]'])
    columns: dict[str, tuple[Code, ...]] = Field(
        {}, description="a column = a list of codes", examples=['columns = { birthq = ["NA:NA"] }']
    )
