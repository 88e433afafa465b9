"""Guard on moderators: groups must be few, must differ, and must lie at the level that the plan declares."""

from __future__ import annotations

import pandas as pd

from whoworks.errors import PanelError
from whoworks.panel.levels import UNIT, name_codes, splitting
from whoworks.panel.panel import Kind, Role
from whoworks.panel.spelling import ALIKE, spelled_alike
from whoworks.panel.typing import SHARED, nameable, numbers_or_none
from whoworks.panel.variables import Request
from whoworks.records.text import Texts

MOST_LEVELS = 50


def require_few_levels(request: Request, kind: Kind, texts: Texts) -> None:
    """Refuse a category with so many levels that it names places or persons rather than groups."""
    if kind is not Kind.CATEGORY:
        return
    n_levels = len(pd.unique(texts[~pd.isna(texts)]))
    if n_levels <= MOST_LEVELS:
        return
    group = "Group them in a column of its own, such as high and low."
    if numbers_or_none(texts) is not None:
        group = f'Write kind = "number" if its values are amounts, or g{group[1:]}'
    raise PanelError(
        f"'{request.name}' ({request.roles[-1]}) has {n_levels} different values, and groups should be few (at most "
        f"{MOST_LEVELS}). {group}"
    )


def require_spelled_groups(request: Request, kind: Kind, texts: Texts) -> None:
    """Refuse a moderator or covariate whose groups the data tell, and tell in several spellings."""
    if kind is not Kind.CATEGORY or request.values or not {Role.MODERATOR, Role.COVARIATE} & set(request.roles):
        return
    alike = [code for codes in spelled_alike(texts) for code in codes]
    if not alike:
        return
    named = [repr(code) for code in nameable(texts) if code in alike]
    said = f" ({', '.join(named)})" if named else ""
    raise PanelError(
        f"'{request.name}' ({request.roles[-1]}) holds {len(alike)} codes{said} that differ from one another only in "
        f"{ALIKE}, and each would be a group of its own. Spell each group in one way; if they are different, give "
        "them codes that differ in more."
    )


def require_no_student(request: Request, kind: Kind, texts: Texts, students: Texts) -> None:
    """Refuse groups told by the data of which one is a student's code in a row or two, as when columns have slipped."""
    if kind is not Kind.CATEGORY or request.values or not {Role.MODERATOR, Role.COVARIATE} & set(request.roles):
        return
    n_rows = pd.Series(texts, dtype=object).value_counts()
    rare = {code for code in n_rows.index[n_rows < SHARED] if not str(code).isdecimal()}
    astray = rare & set(students)
    if astray:
        raise PanelError(
            f"'{request.name}' ({request.roles[-1]}) holds the codes of {len(astray)} student(s), and each would be a "
            "group and be printed as one. Look for rows whose columns have slipped; a group of its own needs a code "
            "that no student has."
        )


def require_difference(name: str, texts: Texts) -> None:
    """Refuse a moderator that is the same for all."""
    n_values = len(pd.unique(texts[~pd.isna(texts)]))
    if n_values > 1:
        return
    seen = "has no value at all" if n_values == 0 else "is the same for every unit"
    raise PanelError(
        f"The moderator '{name}' {seen} among the {len(texts)} units compared, so effects cannot differ "
        "along it. Remove it from the plan, or check the column and records.keep."
    )


def require_moderator(request: Request, texts: Texts, levels: dict[str, Texts]) -> None:
    """Refuse a moderator that varies within the level the plan declares."""
    if Role.MODERATOR not in request.roles:
        return
    if request.level in ("", UNIT):
        return
    split = splitting(levels[request.level], texts)
    if split:
        raise PanelError(
            f"The moderator '{request.name}' is declared to belong to the level '{request.level}', and {len(split)} of "
            f"the values of '{request.level}' hold more than one value of it"
            f"{name_codes(request.level, split, levels[request.level])}. Correct the column, "
            f'or write level = "{UNIT}".'
        )
