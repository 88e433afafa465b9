"""The same data from every kind of file is the same panel."""

from __future__ import annotations

import gzip
import warnings

import duckdb
import pandas as pd
import pyreadstat
import pytest

from tests.records.pilots import make_frame, make_plan
from whoworks.panel.build import build_panel
from whoworks.records.parquet import read_parquet
from whoworks.records.read import read_records


def write_gz(frame, path):
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))


def in_doubles(frame):
    """Formats without single precision hold the decimal that was meant, not its nearest short binary."""
    return frame.assign(age=frame["age"].astype(str).astype(float))


WRITERS = {
    "pilot.csv": lambda frame, path: frame.to_csv(path, index=False),
    "pilot.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "pilot.csv.gz": write_gz,
    "PILOT.CSV": lambda frame, path: frame.to_csv(path, index=False),
    "pilot.parquet": lambda frame, path: frame.to_parquet(path, index=False),
    "pilot.xlsx": lambda frame, path: in_doubles(frame).to_excel(path, index=False),
    "pilot.dta": lambda frame, path: frame.to_stata(path, write_index=False, version=118),
    "pilot.sav": lambda frame, path: pyreadstat.write_sav(in_doubles(frame), str(path)),
}


def panel_of(path):
    plan = make_plan(path.parent, path.name)
    return build_panel(plan, read_records(plan))


def require_same(panel, other):
    pd.testing.assert_frame_equal(panel.units, other.units, check_exact=True)
    pd.testing.assert_frame_equal(panel.values, other.values, check_exact=True)
    pd.testing.assert_series_equal(panel.position, other.position)
    assert panel.variables == other.variables
    assert panel.ledger == other.ledger


@pytest.mark.parametrize("file", WRITERS)
def test_the_same_data_in_any_format_is_the_same_panel(tmp_path, file):
    frame = make_frame()
    plan = make_plan(tmp_path)
    expected = build_panel(plan, read_records(plan, frame=frame))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        WRITERS[file](frame, tmp_path / file)
    require_same(panel_of(tmp_path / file), expected)


@pytest.mark.parametrize("file", WRITERS)
def test_dates_and_truths_read_alike_from_every_format_that_holds_them(tmp_path, file):
    frame = make_frame().assign(tested=pd.Timestamp("2026-09-04"), used=[True, False] * 48)
    frame.loc[5, "tested"] = pd.NaT
    if file.endswith(("dta", "sav")):
        frame["used"] = frame["used"].map({True: "true", False: "false"})
    WRITERS[file](frame, tmp_path / file)
    table = read_records(make_plan(tmp_path, file)).spine
    assert table.texts("tested")[4:7].tolist() == ["2026-09-04", None, "2026-09-04"]
    assert table.texts("used")[:2].tolist() == ["true", "false"]


def test_a_parquet_file_may_hold_types_that_are_no_numbers(tmp_path):
    kinds = {
        "numeric": "1.50::DECIMAL(9, 2)",
        "day": "DATE '2026-09-04'",
        "moment": "TIMESTAMP '2026-09-04 10:30:00'",
        "midnight": "TIMESTAMP '2026-09-04'",
        "clock": "TIME '10:30:00'",
        "several": "[1, 2]",
        "truth": "TRUE",
        "nothing": "NULL::INTEGER",
        "large": "9007199254740993::BIGINT",
        "lasting": "INTERVAL 36 HOURS",
    }
    chosen = ", ".join(f'{value} AS "{name}"' for name, value in kinds.items())
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {chosen}) TO '{tmp_path}/odd.parquet' (FORMAT parquet)")
    reading = read_parquet(tmp_path / "odd.parquet", file="odd.parquet")
    assert dict(zip(reading.names, [column[0] for column in reading.columns], strict=True)) == {
        "numeric": "1.5",
        "day": "2026-09-04",
        "moment": "2026-09-04 10:30:00",
        "midnight": "2026-09-04",
        "clock": "10:30:00",
        "several": "[1 2]",
        "truth": "true",
        "nothing": None,
        "large": "9007199254740993",
        "lasting": "1 days 12:00:00",
    }


def test_leading_zeros_survive_where_the_file_holds_text(tmp_path):
    make_frame().to_excel(tmp_path / "pilot.xlsx", index=False)
    assert sorted(set(panel_of(tmp_path / "pilot.xlsx").units["school"])) == ["007", "008", "009", "010"]


def test_value_labels_stay_codes(tmp_path):
    frame = make_frame()
    labels = {"lunch": {0: "no", 1: "yes"}}
    pyreadstat.write_sav(frame, str(tmp_path / "pilot.sav"), variable_value_labels=labels)
    frame.to_stata(tmp_path / "pilot.dta", write_index=False, value_labels=labels)
    for file in ("pilot.sav", "pilot.dta"):
        assert panel_of(tmp_path / file).variable("lunch").levels == ("0", "1")


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    (tmp_path / "pilot.csv").write_text(make_frame().to_csv(index=False), encoding="utf-8-sig")
    assert len(panel_of(tmp_path / "pilot.csv").units) == 96


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", "utf-8"), ("cp1252", "windows-1252"), ("utf-16", "utf-16"), ("utf-32", "utf-32")]
)
def test_the_encoding_is_told_in_the_provenance_and_changes_nothing(tmp_path, encoding, told):
    (tmp_path / "pilot.csv").write_text(make_frame().to_csv(index=False), encoding=encoding)
    panel = panel_of(tmp_path / "pilot.csv")
    assert panel.provenance[0].encoding == told
    assert "Straße" in panel.variable("setting").levels


def test_quoted_fields_may_hold_commas_quotes_and_line_breaks(tmp_path):
    frame = make_frame().assign(setting='a "b",\nc')
    frame.loc[frame["school"] == "007", "setting"] = "d"
    frame.to_csv(tmp_path / "pilot.csv", index=False)
    assert panel_of(tmp_path / "pilot.csv").variable("setting").levels == ('a "b",\nc', "d")


def test_blank_lines_and_a_column_of_row_names_are_no_data(tmp_path):
    (tmp_path / "pilot.csv").write_text("\n" + make_frame().to_csv() + "\n\n")
    records = read_records(make_plan(tmp_path))
    assert list(records.spine.frame.columns) == list(make_frame().columns)


def test_another_file_may_take_the_place_of_the_spine(tmp_path):
    make_frame(6).to_csv(tmp_path / "next.csv", index=False)
    records = read_records(make_plan(tmp_path, "last.csv"), data=tmp_path / "next.csv")
    assert records.spine.provenance.file == "next.csv"
    assert records.spine.provenance.n_rows == 144


def test_provenance_holds_the_hash_of_the_file_and_no_folder(tmp_path):
    import hashlib

    make_frame().to_csv(tmp_path / "pilot.csv", index=False)
    provenance = read_records(make_plan(tmp_path)).spine.provenance
    assert provenance.sha256 == hashlib.sha256((tmp_path / "pilot.csv").read_bytes()).hexdigest()
    assert provenance.file == "pilot.csv"
    assert (provenance.n_rows, provenance.n_columns) == (96, 10)


def test_an_empty_end_of_a_sheet_is_no_row_and_an_empty_second_sheet_no_matter(tmp_path):
    import openpyxl

    make_frame().to_excel(tmp_path / "pilot.xlsx", index=False)
    book = openpyxl.load_workbook(tmp_path / "pilot.xlsx")
    book.active.cell(row=300, column=2).number_format = "0.00"
    book.create_sheet("notes")
    book.save(tmp_path / "pilot.xlsx")
    assert read_records(make_plan(tmp_path, "pilot.xlsx")).spine.provenance.n_rows == 96


@pytest.mark.parametrize("first", ["sep=,\n", "SEP=,\r\n", '"sep=,"\n', "\ufeffsep=,\n", "sep=\t\n"])
def test_a_first_line_that_announces_the_separator_is_no_header(tmp_path, first):
    frame = make_frame()
    tabs = "\t" in first
    file = tmp_path / f"pilot.{'tsv' if tabs else 'csv'}"
    file.write_bytes((first + frame.to_csv(index=False, sep="\t" if tabs else ",")).encode())
    require_same(panel_of(file), build_panel(plan := make_plan(tmp_path), read_records(plan, frame=frame)))


def test_a_column_called_sep_is_a_column(tmp_path):
    frame = make_frame()
    frame.insert(0, "sep=", "x")
    frame.to_csv(tmp_path / "pilot.csv", index=False)
    assert read_records(make_plan(tmp_path)).spine.provenance.n_columns == 11


@pytest.mark.parametrize("name", ["d*/pilot.parquet", "pilot*.parquet", "p?[a]/pilot.parquet", "**/pilot.parquet"])
def test_a_parquet_file_is_that_file_alone_whatever_its_name(tmp_path, name):
    for place, file in enumerate((name, "dX/pilot.parquet", "pilotY.parquet", "pXa/pilot.parquet")):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame({"place": [place]}).to_parquet(path)
    assert read_parquet(tmp_path / name, file="pilot").columns[0].tolist() == ["0"]
