"""Spelling: a code that is the plan's but for capital letters, blanks or letters without ink is a mistake, told."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from whoworks.errors import PanelError
from whoworks.panel.exclusions import Mask
from whoworks.plan.codes import fold
from whoworks.records.text import Texts, canonical

ALIKE = "capital letters, blanks, leading zeros or characters that are not seen"
BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")  # "1 1" is not "11"


def require_spelled(texts: Texts, codes: Sequence[str], rows: Mask, *, column: str, noun: str) -> None:
    """Refuse a column in which some of `rows` hold a code of the plan in another spelling; `noun` says what codes are.

    Such rows would leave as of no arm, or no wave, and half of a group with them.
    """
    known = {canonical(code) for code in codes}
    meant = {fold(code): code for code in codes}
    strange = [text for text in pd.unique(texts[rows]) if text is not None and text not in known]
    told = {text: meant[fold(text)] for text in strange if fold(text) in meant}
    if not told:
        return
    n_rows = int(np.count_nonzero(rows & pd.Series(texts, dtype=object).isin(list(told)).to_numpy()))
    meant_here = [f"'{code}'" for code in codes if code in told.values()]
    what = f"{noun}s {', '.join(meant_here)}" if len(meant_here) > 1 else f"{noun} {meant_here[0]}"
    raise PanelError(
        f"{n_rows} row(s) hold in '{column}' the {what} in another spelling than the plan's: they differ in "
        f"capital letters, blanks or characters that are not seen. Spell each {noun} in one way, in the records "
        "and in the plan; if the other spelling means something else, give that a code of its own."
    )


def spelled_alike(texts: Texts) -> list[list[str]]:
    """Return the codes of a column that are one code in several spellings, grouped: ``[["C1", "c1"]]``."""
    spellings: dict[str, list[str]] = {}
    for code in sorted(str(text) for text in pd.unique(texts[~pd.isna(texts)])):
        spellings.setdefault(plain(code), []).append(code)
    return [codes for codes in spellings.values() if len(codes) > 1]


def plain(code: str) -> str:
    """Return a code folded, and a number without the zeros that it begins with."""
    folded = fold(BETWEEN_DIGITS.sub("\N{BULLET}", code))
    return (folded.lstrip("0") or "0") if folded.isdecimal() else folded
