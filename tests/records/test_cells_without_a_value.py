"""Errors of a spreadsheet, and formulas that it never computed, are told and not taken for missing values."""

from __future__ import annotations

import zipfile

import openpyxl
import pytest

from tests.records.pilots import make_frame, make_plan
from whoworks.errors import PanelError
from whoworks.panel.build import build_panel
from whoworks.records.cells import NEVER_COMPUTED, column_of, find_errors
from whoworks.records.read import read_records

READING = 5  # column E of the sheet


def write_cells(path, cells):
    """Write the pilot as a workbook with some cells replaced: row and column from 1."""
    make_frame().assign(age=10.5).to_excel(path, index=False)
    book = openpyxl.load_workbook(path)
    for (row, column), value in cells.items():
        book.active.cell(row=row, column=column).value = value
    book.save(path)


def panel_of(path, *changes):
    plan = make_plan(path.parent, path.name, *changes)
    return build_panel(plan, read_records(plan))


def test_errors_are_refused_by_column_file_and_count(tmp_path):
    write_cells(tmp_path / "pilot.xlsx", {(2, READING): "#REF!", (5, READING): "#VALUE!", (97, READING): "#REF!"})
    with pytest.raises(PanelError) as told:
        panel_of(tmp_path / "pilot.xlsx")
    assert str(told.value).startswith(
        "'reading' of 'pilot.xlsx' has 3 cell(s) that a spreadsheet could not compute (#REF!, #VALUE!). Mend them there"
    )
    line = 'columns = { reading = ["#REF!", "#VALUE!"] }'
    assert str(told.value).endswith(line)
    panel = panel_of(tmp_path / "pilot.xlsx", ("[covariates]", f"[missing]\n{line}\n[covariates]"))
    lost = make_frame()["reading"].drop(index=[0, 3, 95]).isna().sum() + 3
    assert panel.values["reading"].isna().sum() == lost


def test_a_formula_that_was_never_computed_is_refused(tmp_path):
    write_cells(tmp_path / "pilot.xlsx", {(3, READING): "=F3+1"})
    with pytest.raises(PanelError, match=rf"'reading' .* 1 cell\(s\) .*\({NEVER_COMPUTED}\)"):
        panel_of(tmp_path / "pilot.xlsx")


def test_errors_where_the_plan_does_not_look_are_no_matter(tmp_path):
    write_cells(tmp_path / "pilot.xlsx", {(1, 11): "notes", (2, 11): "#N/A", (300, 11): "#N/A", (2, 14): "#NAME?"})
    records = read_records(make_plan(tmp_path, "pilot.xlsx"))
    assert records.spine.texts("notes")[:2].tolist() == ["#N/A", None]


def test_a_whole_class_of_errors_is_refused_in_any_kind_of_file(tmp_path):
    make_frame().assign(klass="#REF!").to_csv(tmp_path / "pilot.csv", index=False)
    with pytest.raises(PanelError, match=r"'klass' of 'pilot\.csv' has 96 cell\(s\)"):
        panel_of(tmp_path / "pilot.csv")


SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c><c r="AB1" t="e"><v>#N/A</v></c></row>
<row r="2"><c r="A2" t="str"><f>IF(1,"")</f><v></v></c><c r="B2"><f>A1</f><v>1</v></c><c r="C2"><f>A1</f></c></row>
</sheetData></worksheet>"""


def test_a_formula_whose_value_is_an_empty_text_is_computed(tmp_path):
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with zipfile.ZipFile(tmp_path / "empty.xlsx") as book, zipfile.ZipFile(tmp_path / "made.xlsx", "w") as made:
        for name in book.namelist():
            made.writestr(name, SHEET if name.endswith("sheet1.xml") else book.read(name))
    data = (tmp_path / "made.xlsx").read_bytes()
    assert find_errors(data, "Sheet") == {(0, 27): "#N/A", (1, 2): NEVER_COMPUTED}
    assert find_errors(data, "no such sheet") == find_errors(b"no archive", "Sheet") == {}


def test_columns_are_counted_as_spreadsheets_letter_them():
    assert [column_of(letters) for letters in ("A", "Z", "AA", "AZ", "BA", "XFD")] == [0, 25, 26, 51, 52, 16383]
