"""Typing: from text to numbers and categories, as the plan declares them; a mistake is told without a value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.errors import PanelError, first_few
from whoworks.panel.spelling import require_spelled
from whoworks.records.text import Texts, canonical

Vector = NDArray[np.float64]

YES, NO = ("1", "true", "yes", "y"), ("0", "false", "no", "n")
FEW = 12
SHORT = 24
SHARED = 3
FARTHEST = 1e100
ID_LIKE = re.compile(r"\d{3}|@")


def number_of(text: str) -> float | None:
    """Return the finite number that a text is, or None; "nan", "inf", "1_000" and foreign digits are no numbers."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text and text.isascii() else None


def numbers_of(texts: Texts, column: str) -> Vector:
    """Return texts as numbers, NaN where missing; PanelError tells how many are none, and their shapes."""
    numbers = numbers_or_none(texts)
    if numbers is None:
        raise PanelError(not_numbers(texts, column))
    require_reach(numbers, column)
    return numbers


def require_reach(numbers: Vector, column: str) -> None:
    """Refuse numbers whose squares and sums are beyond what a computer holds: some programs write missing so."""
    n_far = int(np.count_nonzero(np.abs(numbers) > FARTHEST))
    if n_far:
        raise PanelError(
            f"'{column}' has {n_far} number(s) too large to compute with (above {FARTHEST:g}). If they stand for "
            "missing, as in an export from Stata, list them under missing.columns as the column has them; otherwise "
            "correct the column."
        )


def numbers_or_none(texts: Texts) -> Vector | None:
    """Return texts as numbers, NaN where missing; None where any is not a number."""
    present = [text for text in texts.tolist() if text is not None]
    together = "".join(present)
    try:
        found = np.array([float(text) for text in present])
    except ValueError:
        return None
    if "_" in together or not together.isascii() or not np.isfinite(found).all():
        return None
    numbers = np.full(len(texts), np.nan)
    numbers[pd.notna(texts)] = found
    return numbers


def not_numbers(texts: Texts, column: str) -> str:
    """Say how many values of a column are not numbers, and how they are written."""
    present = [text for text in texts.tolist() if text is not None]
    wrong = [text for text in present if number_of(text) is None]
    shapes = first_few(dict.fromkeys(shape_of(text) for text in wrong))
    return (
        f"'{column}' should hold numbers, and {len(wrong)} of its {len(present)} "
        f"values are not numbers; they look like {shapes} (a stands for letters, 9 for digits). If these mean that "
        "nothing was measured, list them under missing.columns; otherwise correct the column."
    )


def shape_of(text: str) -> str:
    """Describe how a value is written without saying it: runs of letters become a, runs of digits 9."""
    letters = re.sub(r"[^\W\d_]+", "a", text)
    return re.sub(r"\s+", " ", re.sub(r"\d+", "9", letters))[:SHORT]


def categories_of(texts: Texts, values: Mapping[str, str], column: str, key: str) -> pd.Categorical[str]:
    """Return texts as an ordered categorical over the plan's codes, in its order of display."""
    code_of = {canonical(code): code for code in values}
    present = ~pd.isna(texts)
    require_spelled(texts, list(values), present, column=column, noun="code")
    strange = present & ~pd.Series(texts, dtype=object).isin(list(code_of)).to_numpy()
    if strange.any():
        raise PanelError(unlisted(texts[strange], list(values), column, key))
    known = {text: place for place, text in enumerate(code_of)}
    codes = np.array([known[text] if text is not None else -1 for text in texts.tolist()], dtype=np.int64)
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(values)), ordered=True)


def unlisted(strange: Texts, listed: Sequence[str], column: str, key: str) -> str:
    """Say that a column holds codes the plan does not list, naming those that cannot point at a person."""
    named = nameable(strange)
    codes = len(set(strange.tolist()))
    said = f" ({', '.join(named)})" if named else ""
    return (
        f"'{column}' holds {codes} code(s){said} in {len(strange)} row(s) that the plan does not list: {key} has "
        f"{first_few(listed, FEW)}. Add the missing codes there with their words, or list them under missing.columns."
    )


def nameable(texts: Texts) -> list[str]:
    """Return the codes that a message may name: few, short, not like an id, and each shared by several rows."""
    counts = pd.Series(texts, dtype=object).value_counts()
    safe = [
        str(code)
        for code, count in counts.items()
        if count >= SHARED and len(str(code)) <= SHORT and not ID_LIKE.search(str(code))
    ]
    return sorted(safe) if len(counts) <= FEW else []


def sorted_levels(texts: Texts) -> tuple[str, ...]:
    """Return the codes found in the data: numbers by size first, then texts."""
    found = [str(text) for text in pd.unique(texts) if text is not None]

    def place(code: str) -> tuple[bool, float, str]:
        number = number_of(code)
        return number is None, number or 0.0, code

    return tuple(sorted(found, key=place))


def truths_of(texts: Texts, column: str) -> Vector:
    """Return yes and no as 1 and 0, NaN where missing."""
    known: dict[object, float] = dict.fromkeys(YES, 1.0) | dict.fromkeys(NO, 0.0) | {None: np.nan}
    lowered = [text.lower() if text is not None else None for text in texts.tolist()]
    wrong = sum(text not in known for text in lowered)
    if wrong:
        raise PanelError(
            f"'{column}' should say yes or no (1 or 0, true or false), and {wrong} of its values say something else. "
            "Take-up is any receipt at all: make a column that is 1 for whoever received anything; list amounts under "
            "[implementation]."
        )
    return np.array([known[text] for text in lowered])
