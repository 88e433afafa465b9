"""Cells of a workbook without a value: errors, and formulas that were never computed; the reader gives them as empty.

They come as the words that stand for them, so that they are not missing without a word.
"""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree import ElementTree as Xml

NEVER_COMPUTED = "a formula without its value"
ERRORS = frozenset((
    NEVER_COMPUTED, "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#N/A", "#SPILL!", "#CALC!", "#FIELD!",
    "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#GETTING_DATA",
))  # fmt: skip
MAY_HOLD = re.compile(rb"""t=["']e["']|<(\w+:)?f\b""")
REFERENCE = re.compile(r"([A-Z]+)(\d+)")

Place = tuple[int, int]


def find_errors(data: bytes, sheet: str) -> dict[Place, str]:
    """Return row and column, from 0, of the cells of a sheet that hold no value although something is there.

    A workbook that the reader understands and this does not is left to the reader.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return errors_in(archive.read(part_of(archive, sheet)))
    except (zipfile.BadZipFile, KeyError, StopIteration, Xml.ParseError):
        return {}


def errors_in(text: bytes) -> dict[Place, str]:
    """Return the same from the text of a sheet; most sheets have neither errors nor formulas."""
    found: dict[Place, str] = {}
    if not MAY_HOLD.search(text):
        return found
    for _, cell in Xml.iterparse(io.BytesIO(text)):
        reference = REFERENCE.fullmatch(cell.get("r", ""))
        if cell.tag.endswith("}c") and reference and (word := error_of(cell)):
            found[int(reference[2]) - 1, column_of(reference[1])] = word
        if cell.tag.endswith("}row"):
            cell.clear()  # a sheet of a million cells is not kept in memory
    return found


def part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part of a workbook that holds a sheet."""
    sheets = Xml.fromstring(archive.read("xl/workbook.xml")).iter()
    key = next(
        value
        for entry in sheets
        if entry.tag.endswith("}sheet") and entry.get("name") == sheet
        for name, value in entry.items()
        if name.endswith("}id")
    )
    links = Xml.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = next(str(link.get("Target")) for link in links if link.get("Id") == key)
    path = target.removeprefix("/")
    return path if path.startswith("xl/") else f"xl/{path}"


def error_of(cell: Xml.Element) -> str:
    """Return the word for what a cell holds in place of a value, or an empty string where it holds one."""
    inner = {part.tag.rpartition("}")[2]: part.text or "" for part in cell}
    if cell.get("t") == "e":
        return inner.get("v") or "#VALUE!"
    is_computed = cell.get("t") == "str" or inner.get("v")
    return NEVER_COMPUTED if "f" in inner and not is_computed else ""


def column_of(letters: str) -> int:
    """Return the number, from 0, of a column that is written in letters: A, ..., Z, AA, ..."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
