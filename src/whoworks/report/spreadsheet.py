"""CSV files that a spreadsheet opens harmlessly: no cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from whoworks.report.numbers import written

FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
PLAIN_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


def harmless(text: str) -> str:
    """Prefix a text that a spreadsheet would run with an apostrophe, as OWASP advises on CSV injection.

    A code that is a plain number ("-1.5", a curve's grid value) runs nothing and
    stays as it is. Control characters, line ends among them, become blanks.
    """
    text = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)
    runs = text.lstrip(" ").startswith(FORMULA_STARTS) and not PLAIN_NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def cell(value: object) -> str:
    """Write one cell: a text made harmless, a number with 10 significant digits."""
    return harmless(value) if isinstance(value, str) else written(value)


def write_csv(*, header: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Return a CSV file: UTF-8, unix line ends, cells in the header's order."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(row[name]) for name in header] for row in rows)
    return buffer.getvalue().encode("utf-8")
