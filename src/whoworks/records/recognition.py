"""Recognition: what a file holds, by its first bytes, against what its name says."""

from __future__ import annotations

from whoworks.errors import RecordsError

HEAD = 4096

SIGNATURES = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "an Excel workbook (xlsx) or another zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"PAR1", "a parquet file"),
    (b"$FL2", "an SPSS file (sav)"),
    (b"$FL3", "an SPSS file (sav)"),
    (b"<stata_dta>", "a Stata file (dta)"),
    (b"SQLite format 3", "an SQLite database"),
)
OLD_STATA = range(105, 116)
UTF16 = (b"\xff\xfe", b"\xfe\xff")
UTF32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")  # the first begins as UTF-16 does

EXPECTED = {
    "csv": "text",
    "tsv": "text",
    "parquet": "a parquet file",
    "xlsx": "an Excel workbook (xlsx) or another zip archive",
    "dta": "a Stata file (dta)",
    "sav": "an SPSS file (sav)",
}


def recognise(head: bytes) -> str:
    """Return in words what a file holds, judged by its first bytes."""
    for signature, words in SIGNATURES:
        if head.startswith(signature):
            return words
    if len(head) > 3 and head[0] in OLD_STATA and head[1] in (1, 2) and head[2] == 1:
        return "a Stata file (dta)"
    opening = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if opening.startswith((b"<!doctype", b"<html", b"<head", b"<table", b"<?xml")):
        return "a web page (HTML or XML)"
    if b"\x00" in head and not head.startswith((*UTF16, *UTF32)):
        return "data that are not text"
    return "text"


def require_kind(*, kind: str, head: bytes, file: str) -> None:
    """Refuse a file that holds something other than its name says."""
    found = recognise(head)
    if found == EXPECTED[kind]:
        return
    raise RecordsError(
        f"'{file}' is named as {kind}, and holds {found}. "
        f"Give the file the ending of what it holds, or export the records again as {kind}."
    )
