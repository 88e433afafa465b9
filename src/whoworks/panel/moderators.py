"""Guard on moderators: groups must be few, must differ, and must lie at the level that the plan declares."""

from __future__ import annotations

import pandas as pd

from whoworks.errors import PanelError, first_few
from whoworks.panel.levels import UNIT, splitting
from whoworks.panel.panel import Kind, Role
from whoworks.panel.typing import numbers_or_none
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
    number = ' Write kind = "number" if its values are amounts, or' if numbers_or_none(texts) is not None else " Either"
    raise PanelError(
        f"'{request.name}' ({request.roles[-1]}) has {n_levels} different values, and groups should be few (at most "
        f"{MOST_LEVELS}).{number} group them in a column of its own, such as high and low."
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
            f"the values of '{request.level}' hold more than one value of it: {first_few(split)}. Correct the column, "
            f'or write level = "{UNIT}".'
        )
