"""Partners: a joined table of whose rows none belongs to a row above is a mistake of its keys, told by their form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from whoworks.errors import first_few
from whoworks.records.text import Texts

FORMS = 2  # forms of a key that a message tells


def no_partner(table: str, *, wave: str, n_rows: int, keys: Sequence[tuple[str, Texts, str, Texts]]) -> str:
    """Say that none of a table's rows has a partner; `keys` holds each key's column and texts, here and above."""
    forms = "; ".join(
        f"'{own}' of '{table}' holds {tell_forms(here)}, and '{target}' holds {tell_forms(above)}"
        for own, here, target, above in keys
    )
    of_wave = f" of the wave '{wave}'" if wave else ""
    return (
        f"0 of the {n_rows} rows of '{table}'{of_wave} have a partner in the table that they join: {forms}. Write both "
        "in one form (a spreadsheet drops the zeros that a code begins with) or correct records.join; where they look "
        "alike already, see that both tables are of the same units."
    )


def tell_forms(texts: Texts) -> str:
    """Describe how keys are written without saying one: the kinds of characters and the lengths, commonest first."""
    present = pd.Series([text for text in texts.tolist() if text], dtype=object)
    if not len(present):
        return "nothing"
    kinds, lengths = present.map(kinds_of), present.str.len()
    return first_few((f"{kind} ({span(lengths[kinds == kind])} long)" for kind in kinds.value_counts().index), FORMS)


def kinds_of(text: str) -> str:
    """Name the kinds of characters in a text: ``capital letters, digits and other signs``."""
    letters = "".join(letter for letter in text if letter.isalpha())
    size = "capital " if letters.isupper() else "small " if letters.islower() else ""
    there = [
        (bool(letters), f"{size}letters"),
        (any(letter.isdigit() for letter in text), "digits"),
        (not all(letter.isalnum() for letter in text), "other signs"),
    ]
    *first, last = [kind for holds, kind in there if holds]
    return f"{', '.join(first)} and {last}" if first else last


def span(lengths: pd.Series[int]) -> str:
    """Write a range of lengths."""
    low, high = int(np.min(lengths)), int(np.max(lengths))
    return f"{low}" if low == high else f"{low} to {high}"
