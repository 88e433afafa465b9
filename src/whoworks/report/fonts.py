"""One typeface for text and charts, from a registry package: Source Sans Pro (SIL Open Font Licence)."""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Any

from whoworks.errors import ReportError

FAMILY = "Source Sans Pro"
FACES = ("Regular", "Semibold", "Bold")
UNKNOWN = "?"
APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def font_files() -> tuple[Path, ...]:
    """Return the files of the faces in use; the package also holds others, which must not be picked by chance."""
    spec = importlib.util.find_spec("font_source_sans_pro")
    if spec is None or spec.origin is None:
        raise ReportError(
            "The package font-source-sans-pro is not installed, and a report needs its typeface. Run `make setup`."
        )
    folder = Path(spec.origin).parent / "files"
    return tuple(folder / f"SourceSansPro-{face}.ttf" for face in FACES)


def copy_fonts(folder: Path) -> Path:
    """Copy the faces in use into a folder of their own and return it."""
    folder.mkdir()
    for file in font_files():
        shutil.copyfile(file, folder / file.name)
    return folder


@functools.cache
def letters() -> frozenset[int]:
    """Return the characters that every face in use can draw."""
    from matplotlib.ft2font import FT2Font

    return frozenset.intersection(*(frozenset(FT2Font(str(file)).get_charmap()) for file in font_files()))


def printable(text: str) -> str:
    """Return text with what the typeface cannot draw replaced, control characters taken out, apostrophes curved.

    A tagged PDF refuses a character without a glyph; a name with an emoji must not cost the report.
    """
    known = letters()
    spaced = (" " if letter.isspace() else letter for letter in unicodedata.normalize("NFC", text))
    kept = (letter for letter in spaced if unicodedata.category(letter) not in HIDDEN)
    drawn = "".join(letter if ord(letter) in known else UNKNOWN for letter in kept)
    return APOSTROPHE.sub("\u2019", drawn)


def printable_all(value: Any) -> Any:
    """Apply `printable` to every text of a JSON-able value."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: printable_all(item) for key, item in value.items()}
    return [printable_all(item) for item in value] if isinstance(value, list | tuple) else value
