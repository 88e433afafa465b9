"""A file that cannot be read is a sentence: what was seen, what was expected, what to do."""

from __future__ import annotations

import gzip
import io
import zipfile

import pyreadstat
import pytest

from tests.records.pilots import make_frame, make_plan
from whoworks.errors import RecordsError
from whoworks.records.read import read_records

PLANTED = "STUDENT-LEAK-123"
CSV = make_frame().assign(language=PLANTED).to_csv(index=False)
LINES = CSV.splitlines()


def as_bytes(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def two_sheets(buffer):
    import pandas as pd

    with pd.ExcelWriter(buffer) as writer:
        make_frame().to_excel(writer, sheet_name="fall", index=False)
        make_frame().to_excel(writer, sheet_name="spring", index=False)


def other_zip(buffer, name="users.csv"):
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, CSV)


def swap(line, old, new):
    return "\n".join([*LINES[:line], LINES[line].replace(old, new), *LINES[line + 1 :]])


PARQUET = as_bytes(lambda buffer: make_frame().to_parquet(buffer))
DTA = as_bytes(lambda buffer: make_frame().to_stata(buffer, write_index=False))
XLSX = as_bytes(lambda buffer: make_frame().to_excel(buffer, index=False))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

BAD = {
    "empty": ("pilot.csv", b"", "is empty"),
    "only blanks": ("pilot.csv", b"\n\n  \n", "no column names"),
    "only a header": ("pilot.csv", LINES[0].encode(), "has a header and no rows"),
    "only a header, xlsx": (
        "pilot.xlsx",
        as_bytes(lambda buffer: make_frame()[:0].to_excel(buffer, index=False)),
        "has a header and no rows",
    ),
    "an image named csv": ("pilot.csv", PNG, "named as csv, and holds a PNG image"),
    "a workbook named csv": ("pilot.csv", XLSX, "named as csv, and holds an Excel workbook"),
    "csv named xlsx": ("pilot.xlsx", CSV.encode(), "named as xlsx, and holds text"),
    "csv named sav": ("pilot.sav", CSV.encode(), "named as sav, and holds text"),
    "parquet named dta": ("pilot.dta", PARQUET, "named as dta, and holds a parquet file"),
    "old dta is recognised": ("pilot.csv", bytes([115, 2, 1, 0]) + bytes(100), "holds a Stata file"),
    "a web page named csv": ("pilot.csv", b"\n<!DOCTYPE html><html><body>Sign in", "holds a web page"),
    "a workbook without its list of sheets": (
        "pilot.xlsx",
        as_bytes(lambda buffer: other_zip(buffer, "xl/workbook.xml")),
        "damaged, or is not an Excel workbook",
    ),
    "bytes named csv": ("pilot.csv", b"a,b\n1,\x002\n", "holds data that are not text"),
    "gz cut short": ("pilot.csv.gz", gzip.compress(CSV.encode())[:-20], "is cut short"),
    "csv named gz": ("pilot.csv.gz", CSV.encode(), "not whole gzip"),
    "gz of nothing": ("pilot.csv.gz", gzip.compress(b""), "empty once unpacked"),
    "gz of an image": ("pilot.csv.gz", gzip.compress(PNG), "holds a PNG image"),
    "another ending": ("pilot.docx", CSV.encode(), "csv or tsv"),
    "no ending": ("pilot", CSV.encode(), "csv or tsv"),
    "parquet cut short": ("pilot.parquet", PARQUET[:200], "damaged or cut short"),
    "dta cut short": ("pilot.dta", DTA[: len(DTA) // 2], "damaged or cut short"),
    "xlsx cut short": ("pilot.xlsx", XLSX[:2000], "damaged, or is not an Excel workbook"),
    "another zip named xlsx": ("pilot.xlsx", as_bytes(other_zip), "damaged, or is not an Excel workbook"),
    "two sheets": ("pilot.xlsx", as_bytes(two_sheets), r"2 sheets that hold something \(fall, spring\)"),
    "column named twice": ("pilot.csv", swap(0, "lunch", "age").encode(), "1 column.* more than once: 'age'"),
    "column named twice, with blanks": ("pilot.csv", swap(0, "lunch", " age ").encode(), "more than once: 'age'"),
    "a short row": ("pilot.csv", swap(5, f",{PLANTED}", "").encode(), r"1 row.* 10 fields .*line\(s\) 6"),
    "long rows": ("pilot.csv", CSV.replace(PLANTED, f"{PLANTED},x").encode(), "96 row.* 2, 3, 4 and 93 more"),
    "quotation mark not closed": ("pilot.csv", swap(7, PLANTED, f'"{PLANTED}').encode(), "a quotation mark is opened"),
    "a field too long": (
        "pilot.csv",
        swap(7, PLANTED, "x" * 200_000).encode(),
        "begins in line 8 holds a field of more than 131,072 characters",
    ),
    "quotation mark not closed in a large file": (
        "pilot.csv",
        (swap(7, PLANTED, f'"{PLANTED}') + "\n" + "\n".join(LINES[1:] * 40)).encode(),
        "begins in line 8 holds .* quotation mark is opened there",
    ),
    "semicolons announced": ("pilot.csv", f"sep=;\n{CSV.replace(',', ';')}".encode(), "separated by semicolons"),
    "a short row below the line of the separator": (
        "pilot.csv",
        ("sep=,\n" + swap(5, f",{PLANTED}", "")).encode(),
        r"1 row.* 10 fields .*line\(s\) 7",
    ),
    "semicolons": ("pilot.csv", CSV.replace(",", ";").encode(), "separated by semicolons"),
    "tabs named csv": ("pilot.csv", CSV.replace(",", "\t").encode(), r"separated by tabs.*name it \.tsv"),
    "neither encoding": ("pilot.csv", CSV.encode() + b"\x81\x8d,\xff", "neither UTF-8 nor Windows-1252"),
    "missing outcome column": ("pilot.csv", swap(0, "reading", "raeding").encode(), "Did you mean 'raeding'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_sentence_that_names_it_and_no_student(tmp_path, case):
    file, data, words = BAD[case]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(RecordsError, match=words) as told:
        read_records(make_plan(tmp_path, file))
    assert f"'{file}'" in str(told.value)
    assert PLANTED not in str(told.value)
    assert str(tmp_path) not in str(told.value)
    assert told.value.__cause__ is None


def test_a_sav_cut_short_is_told(tmp_path):
    pyreadstat.write_sav(make_frame(), str(tmp_path / "pilot.sav"))
    (tmp_path / "pilot.sav").write_bytes((tmp_path / "pilot.sav").read_bytes()[:500])
    with pytest.raises(RecordsError, match="damaged or cut short"):
        read_records(make_plan(tmp_path, "pilot.sav"))


def test_a_missing_file_names_the_nearest_one_beside_it(tmp_path):
    (tmp_path / "pilot_2026.csv").write_text(CSV)
    with pytest.raises(RecordsError, match=r"no file .*pilot\.csv\. Did you mean 'pilot_2026\.csv'"):
        read_records(make_plan(tmp_path))


def test_a_missing_folder_is_a_missing_file(tmp_path):
    with pytest.raises(RecordsError, match="There is no file"):
        read_records(make_plan(tmp_path, "nowhere/pilot.csv"))


def test_a_folder_is_not_a_file_of_records(tmp_path):
    (tmp_path / "pilot.csv").mkdir()
    with pytest.raises(RecordsError, match="is a folder"):
        read_records(make_plan(tmp_path))


def test_a_missing_column_tells_which_key_of_the_plan_asks_for_it(tmp_path):
    (tmp_path / "pilot.csv").write_text(CSV.replace("setting", "settings"))
    with pytest.raises(RecordsError, match=r"no column 'setting' in 'pilot\.csv'.*moderators\.column.*'settings'"):
        read_records(make_plan(tmp_path))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('column = "arm"', 'column = "ram"'), "arms.column"),
        (('class = "klass"', 'class = "kalss"'), "levels.class"),
        (('baseline = ["pretest"]', 'baseline = ["prettest"]'), "outcomes.baseline"),
        (('"age", "language"]', '"age", "languages"]'), "covariates.columns"),
        (('probability = "blocks"', 'probability = "share"'), "design.probability"),
        (("[levels]", "keep = \"grade == '6'\"\n[levels]"), "records.keep of 'records'"),
        (("[levels]", 'key = ["students"]\n[levels]'), "records.key of 'records'"),
        (("[covariates]", '[missing]\ncolumns = { lunhc = ["9"] }\n[covariates]'), "missing.columns"),
        (("[covariates]", '[takeup]\ncolumn = "used"\n[covariates]'), "takeup.column"),
        (("[covariates]", '[implementation]\ncolumns = ["minutes"]\n[covariates]'), "implementation.columns"),
    ],
)
def test_every_key_of_the_plan_that_names_a_column_is_held_to_the_records(tmp_path, change, key):
    (tmp_path / "pilot.csv").write_text(CSV)
    with pytest.raises(RecordsError, match=f"under {key}") as told:
        read_records(make_plan(tmp_path, "pilot.csv", change))
    assert PLANTED not in str(told.value)
