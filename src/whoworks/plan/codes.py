"""Codes: how a value that names a group is written, so that 0, 0.0, "0" and "0.0" are one arm."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, Field

TRUTHS = ("true", "false")
WHOLE = re.compile(r"[+-]?\d+\.0+")
UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # general categories of letters without ink


def code_text(value: str | int | float) -> str:
    """Write a code as text: blanks around it and a decimal part of zeros are dropped; "007" stays "007".

    Truth values are "true" and "false", however they are spelled.
    """
    text = (value if isinstance(value, str) else repr(value)).strip()
    if len(text) in (4, 5) and text.lower() in TRUTHS:
        return text.lower()
    return text.split(".")[0] if WHOLE.fullmatch(text) else text


def fold(code: str) -> str:
    """Return a code without what the eye may miss: one size of letters, one way to write each, none without ink."""
    plain = unicodedata.normalize("NFKC", code).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter) not in UNSEEN)


def has_ink(text: str) -> bool:
    """Tell whether a text holds anything that can be seen: a letter, digit or sign, not only blanks or controls."""
    return any(unicodedata.category(letter)[0] not in "CZ" for letter in text)


def read_code(value: object) -> object:
    """Turn what a plan may write as a code into text; leave anything else for the type to refuse."""
    return code_text(value) if isinstance(value, str | int | float) else value


Code = Annotated[str, BeforeValidator(read_code), Field(strict=True)]
