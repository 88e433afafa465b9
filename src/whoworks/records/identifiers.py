"""Direct identifiers: names, e-mail addresses, telephone numbers, social security numbers, birth dates.

A column is judged by the words of its name together with the shape of its
values, and by values alone where their shape leaves no doubt. Scores, codes and
dates of tests are none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from whoworks.errors import PrivacyError, first_few
from whoworks.plan.privacy import Privacy
from whoworks.plan.toml import write_line
from whoworks.records.records import Table
from whoworks.records.text import Texts

SAMPLE = 2_000
MOSTLY = 0.5
DISTINCT = 0.9

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
PERSONS = frozenset((
    "first", "last", "middle", "given", "family", "full", "maiden", "preferred", "legal", "nick", "student", "pupil",
    "child", "learner", "parent", "guardian", "mother", "father", "teacher", "tutor", "instructor", "user",
    "participant", "person", "login", "member",
))  # fmt: skip
WHOLE_NAMES = frozenset((
    "firstname", "lastname", "surname", "fname", "lname", "givenname", "familyname", "middlename", "fullname",
    "username",
))  # fmt: skip
MAIL = frozenset(("email", "mail", "emails"))
PHONE = frozenset(("phone", "telephone", "mobile", "tel", "sms", "fax", "cellphone"))
BIRTH = re.compile(r"birth|^dob$|^bday$|^born$")
COARSE_BIRTH = frozenset(("year", "order", "weight", "country", "city", "state", "place", "rank", "number"))

LETTER = re.compile(r"[^\W\d_]")
MAIL_VALUE = re.compile(r"\b[\w.+%-]+@[\w-]+(\.[\w-]+)+\b")
PHONE_VALUE = re.compile(
    r"(?<![\w.])(\+?1[\s.-]?)?(\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?![\w.])|\+\d[\d\s().-]{8,}\d"
)
SSN_VALUE = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
SURNAME_FIRST = re.compile(r"[^\W\d_][\w'’-]+, ?[^\W\d_][\w'’.-]*( [^\W\d_]\.?)?")
SEVEN_DIGITS = re.compile(r"(\d\D{0,2}){7,}")
FINER_THAN_YEAR = re.compile(r"\d{4}\D*\d|\d+\D+\d+\D+\d{2,4}|\d\D+[A-Za-z]{3,}")


def require_no_identifiers(tables: Iterable[Table], privacy: Privacy) -> None:
    """Refuse tables with a column that looks like a direct identifier and that the plan does not vouch for."""
    flagged: dict[str, str] = {}
    for table in tables:
        for column in table.frame.columns:
            if not {column, f"{table.name}.{column}"} & set(privacy.allow):
                kind = identifier_kind(column, table.texts(column))
                flagged |= {column: kind} if kind else {}
    if not flagged:
        return
    listed = first_few((f"'{column}' ({kind})" for column, kind in flagged.items()), most=8)
    lines = "\n".join(write_line(key, list(flagged)) for key in ("drop", "allow"))
    raise PrivacyError(
        f"{len(flagged)} column(s) look like direct identifiers of persons: {listed}. Remove them from the file, or "
        f"add under [privacy] one of these lines, the first to leave them unread, the second to vouch that they are "
        f"harmless (with what the line already lists):\n{lines}"
    )


def identifier_kind(column: str, texts: Texts) -> str:
    """Return what kind of direct identifier a column seems to hold, or an empty string."""
    values = sample(texts)
    if not values:
        return ""
    return kind_by_name(column, values) or kind_by_values(values)


def sample(texts: Texts) -> list[str]:
    """Return up to `SAMPLE` of the values that are there, evenly over the rows."""
    present = texts[~pd.isna(texts)]
    step = max(1, -(-len(present) // SAMPLE))
    return [str(value) for value in present[::step]]


def words_of(column: str) -> list[str]:
    """Split a column's name into lower-case words: StudentLastName, student_last_name and student.last.name agree."""
    return [word.lower() for word in WORD.findall(column)]


def kind_by_name(column: str, values: list[str]) -> str:
    """Judge by the column's name, where at least one value could be what the name says."""
    words = words_of(column)
    known = set(words)
    if is_name(words) and holds(LETTER, values):
        return "name"
    if MAIL & known and holds(MAIL_VALUE, values):
        return "e-mail address"
    if PHONE & known and holds(SEVEN_DIGITS, values):
        return "telephone number"
    if ("ssn" in known or {"social", "security"} <= known) and holds(re.compile(r"\d{4}"), values):
        return "social security number"
    if any(BIRTH.search(word) for word in words) and not COARSE_BIRTH & known and holds(FINER_THAN_YEAR, values):
        return "birth date"
    return ""


def is_name(words: list[str]) -> bool:
    """Tell whether the words of a column's name speak of a person's name."""
    if WHOLE_NAMES & set(words) or words in (["name"], ["names"]):
        return True
    return bool({"name", "names"} & set(words)) and bool(PERSONS & set(words))


def kind_by_values(values: list[str]) -> str:
    """Judge by values that can hardly be anything else; numbers and codes repeated over rows are not personal."""
    distinct = [value for value in dict.fromkeys(values) if not _is_number(value)]
    if holds(MAIL_VALUE, distinct):
        return "e-mail address"
    ssn = {value for value in distinct if SSN_VALUE.search(value)}
    if ssn and len(ssn) >= DISTINCT * sum(value in ssn for value in values):
        return "social security number"
    if holds(PHONE_VALUE, distinct):
        return "telephone number"
    names = [value for value in distinct if SURNAME_FIRST.fullmatch(value)]
    if names and len(names) >= MOSTLY * len(values):
        return "name"
    return ""


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).removeprefix("-").isdigit()


def holds(pattern: re.Pattern[str], values: list[str]) -> bool:
    """Tell whether any value contains the pattern."""
    return any(pattern.search(value) for value in values)
