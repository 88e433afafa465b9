"""Delimited text: csv (commas) and tsv (tabs)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

import numpy as np

from whoworks.errors import RecordsError, first_few
from whoworks.records.recognition import UTF16, UTF32
from whoworks.records.records import Reading
from whoworks.records.text import Texts, texts_of

CHUNK = 50_000
FALLBACK = "windows-1252"
SEPARATOR_LINE = re.compile(r'"?sep=[^\w\r\n]"?(?=\r|\n)', re.IGNORECASE)  # a first line that Excel obeys and hides
NAMED = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


def read_delimited(data: bytes, *, delimiter: str, file: str) -> Reading:
    """Read delimited text whose first line names the columns; every row must have as many fields as that line."""
    text, encoding = decode(data, file)
    text = SEPARATOR_LINE.sub("", text, count=1) if SEPARATOR_LINE.match(text) else text
    rows = fields_of(text, delimiter, file)
    header = next(rows, (0, []))[1]
    require_delimiter(header, delimiter, file)
    columns = read_columns(rows, len(header), file)
    return Reading(names=tuple(header), columns=columns, encoding=encoding)


def decode(data: bytes, file: str) -> tuple[str, str]:
    """Return the text and the name of its encoding: UTF-8, UTF-16 or UTF-32 where it says so, else Windows-1252."""
    if data.startswith(UTF32):
        return data.decode("utf-32", errors="replace"), "utf-32"
    if data.startswith(UTF16):
        return data.decode("utf-16", errors="replace"), "utf-16"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), FALLBACK
    except UnicodeDecodeError:
        raise RecordsError(
            f"The text of '{file}' is neither UTF-8 nor Windows-1252. Save it again as UTF-8 (CSV UTF-8 in Excel)."
        ) from None


def fields_of(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's line number and fields, leaving out blank lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    read = 0
    try:
        for fields in reader:
            read = reader.line_num
            if fields:
                yield read, fields
    except csv.Error as error:
        if "field limit" in str(error):
            raise RecordsError(
                f"The row of '{file}' that begins in line {read + 1} holds a field of more than "
                f"{csv.field_size_limit():,} characters, and no more are read. If a quotation mark is opened there and "
                "not closed, close it; otherwise leave the column of long texts out and export the file again."
            ) from None
        raise RecordsError(
            f"Line {reader.line_num} of '{file}' cannot be read: a quotation mark is opened and not closed, or text "
            "follows a closing one. Double the quotation marks inside a field, or export the file again."
        ) from None


def require_delimiter(header: list[str], delimiter: str, file: str) -> None:
    """Refuse a header that is one field by this delimiter and several by another."""
    if len(header) != 1:
        return
    for other, words in NAMED.items():
        if other != delimiter and other in header[0]:
            raise RecordsError(
                f"The first line of '{file}' has no {NAMED[delimiter]}, and its columns seem to be separated by "
                f"{words}. Save it with {NAMED[delimiter]}" + (", or name it .tsv." if other == "\t" else ".")
            )


def read_columns(rows: Iterator[tuple[int, list[str]]], width: int, file: str) -> tuple[Texts, ...]:
    """Turn rows into columns, a chunk at a time, so that repeated values are held once."""
    chunks: list[list[Texts]] = []
    ragged: list[int] = []
    while chunk := list(islice(rows, CHUNK)):
        ragged += [line for line, fields in chunk if len(fields) != width]
        if not ragged:
            chunks.append([texts_of(column) for column in zip(*(fields for _, fields in chunk), strict=True)])
    if ragged:
        lines = first_few(ragged)
        raise RecordsError(
            f"{len(ragged)} row(s) of '{file}' do not have the {width} fields of the first line: line(s) {lines}. "
            "A delimiter inside a text needs quotation marks around the text; a cut-off row needs its missing fields."
        )
    if not chunks:
        return tuple(np.empty(0, dtype=object) for _ in range(width))
    return tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))
