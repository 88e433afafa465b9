"""[study]: what is asked, and since when."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from whoworks.plan.table import Column, Table, Text

Date = Annotated[dt.date, Field(strict=True)]


class StudyTable(Table):
    """The study's name, its question and the day it was registered."""

    name: Column = Field(description="the study's name", examples=['name = "Adaptive mathematics pilot"'])
    question: Text = Field(
        "",
        description="the question in plain words",
        examples=['question = "Does the programme raise mathematics, and for whom?"'],
    )
    registered: Date | None = Field(
        None, description="the day of registration, year-month-day", examples=["registered = 2026-08-15"]
    )
