"""`whoworks check` and `whoworks report`, from a pilot's folder to what lies on the disk afterwards."""

from __future__ import annotations

import csv
import hashlib
import json
import socket
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.cli.pilots import PLANTED
from whoworks import columns
from whoworks.checks.verdict import Check, Verdict
from whoworks.cli.summary import account, paragraph, show_answer, verdict_lines
from whoworks.panel.ledger import Entry


def fingerprints(folder):
    """Return the sha256 of every file in a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def header(path):
    """Return the first row of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(next(csv.reader(file)))


def test_check_tells_who_was_there_what_is_counted_and_every_verdict(pilot, whoworks):
    before = sorted(pilot.path.rglob("*"))
    answer = whoworks("check", pilot.plan)
    assert (answer.code, answer.err) == (0, "")
    assert "240 rows received" in answer.out
    assert "PASS" in answer.out
    assert "Number of clusters" in answer.out
    assert "cluster_sizes" not in answer.out
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert not [planted for planted in PLANTED if planted in answer.out]
    assert sorted(pilot.path.rglob("*")) == before


@pytest.mark.parametrize(
    ("step", "reason", "n", "said"),
    [
        ("received", "rows of 'roster'", 1240, "1,240 rows received: rows of 'roster'"),
        ("excluded", "no class id", 1, "1 row excluded: no class id"),
        ("joined", "units without a row in 'tests'", 12, "12 units without a row in 'tests'"),
        ("joined", "units without a row in 'tests'", 1, "1 unit without a row in 'tests'"),
        ("joined", "rows of 'tests' without a row in 'roster'", 1, "1 row of 'tests' without a row in 'roster'"),
    ],
)
def test_each_step_counts_in_its_own_words(step, reason, n, said):
    assert account([Entry(step=step, reason=reason, n_rows=n)]) == [said]


def test_a_long_name_of_a_check_is_wrapped_beneath_itself(monkeypatch):
    name = "Balance before assignment: " + "how often the student reads at home in the evening, " * 2
    monkeypatch.setattr("whoworks.report.labels.check_name", lambda check, words: name)
    check = Check(
        check_id="balance", subject="home", verdict=Verdict.NOT_ASSESSABLE, value=float("nan"), threshold=0.25,
        n_units=1, n_clusters=1, sentence="nothing to compare.", table=pd.DataFrame(),
    )  # fmt: skip
    lines = verdict_lines(check, None).splitlines()
    assert lines[0].startswith("NOT ASSESSABLE  Balance before assignment: how")
    assert len(lines) == 4
    assert all(len(line) <= 80 for line in lines)
    assert all(line.startswith(" " * 16) for line in lines[1:])


@pytest.mark.parametrize("whole", ["7.4 %", "p = .03", "p < .001"])
def test_a_line_ends_neither_before_a_percent_sign_nor_within_a_p_value(whole):
    for n in range(60, 80):
        lines = paragraph(f"{'x' * n} {whole} in all").splitlines()
        assert any(whole in line for line in lines)
        assert not any("\u00a0" in line for line in lines)


def test_a_report_holds_every_file_with_the_columns_it_should(small, whoworks):
    answer = whoworks("report", small.plan, "--out", "out")
    out = small.path / "out"
    assert answer.code == 0
    assert answer.err == ""
    assert "Report: out/report.pdf" in answer.out
    assert "6 classes" in answer.out
    assert header(out / "findings.csv") == columns.FINDINGS
    assert header(out / "checks.csv") == columns.CHECKS
    assert header(out / "ledger.csv") == columns.LEDGER
    assert header(out / "suppressed.csv") == columns.SUPPRESSED
    assert {path.name for path in out.glob("*.csv")} == {"findings.csv", "checks.csv", "ledger.csv", "suppressed.csv"}
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    assert list((out / "figures").glob("*.svg"))
    for path in out.rglob("*"):
        if path.suffix in {".csv", ".json", ".svg"}:
            assert not [planted for planted in PLANTED if planted in path.read_text(encoding="utf-8")], path.name


def test_the_answer_is_told_with_its_credibility_and_the_gravest_caveats(tmp_path, capsys):
    claim = {"status": "confirmatory", "question": "difference", "family": "reading", "credibility": "very low"}
    average = claim | {"question": "average", "family": "", "credibility": "", "sentence": "It raised reading."}
    told = {
        "answer": ["It raised reading.", "Tablets may have."],
        "findings": [
            average,
            claim | {"sentence": "We cannot tell whether the effect differs between boys and girls."},
        ],
        "caveats": [
            {"gravity": 1, "sentence": "not knowing is no proof of sameness."},
            {"gravity": 2, "sentence": "The small print."},
        ],
    }
    (tmp_path / "findings.json").write_text(json.dumps(told), encoding="utf-8")
    show_answer(tmp_path)
    said = capsys.readouterr().out
    assert f"\n{said}".count("\nIt raised reading.\n\nTablets may have.\n") == 1
    assert "Credibility very low: We cannot tell whether" in said
    assert "Caveat: Not knowing is no proof of sameness." in said
    assert "small print" not in said


def test_without_a_place_it_goes_below_reports_and_json_prints_the_manifest(small, whoworks):
    answer = whoworks("report", small.plan, "--json")
    assert answer.code == 0
    (manifest,) = (small.path / "reports").glob("*/*/manifest.json")
    assert json.loads(answer.out) == json.loads(manifest.read_text(encoding="utf-8"))
    place = manifest.parent.name
    assert len(place) == 17
    assert place[8] == "-"


def test_another_cohort_takes_the_place_of_the_plan_s_records(pilot, whoworks):
    pilot.change(lambda row: row | {"reading": f"{float(row['reading']) + 1:.1f}"})
    other = pilot.data.rename(pilot.path / "next.csv")
    assert whoworks("check", pilot.plan).code == 2
    assert whoworks("check", pilot.plan, "--data", other).code == 0


HOSTILE = {"yes": "=cmd('calc')", "no": "*_#$ <b>"}


def test_hostile_names_are_literal_in_the_pdf_and_harmless_in_the_csv(small, whoworks):
    from pypdf import PdfReader

    small.change(lambda row: row | {"lunch": HOSTILE[row["lunch"]], "school_id": "#panic " + row["school_id"]})
    small.edit('values = { no = "not eligible", yes = "eligible" }\n', "")
    small.edit('label = "free lunch"', 'label = "$x$ *lunch* #read"')
    small.edit('name = "Harbour pilot"', 'name = "=cmd() *_#$ #panic(1)"')
    answer = whoworks("report", small.plan, "--out", "out")
    assert answer.code == 0, answer.err
    text = " ".join(
        " ".join(page.extract_text() for page in PdfReader(small.path / "out" / "report.pdf").pages).split()
    )
    assert "=cmd() *_#$ #panic(1)" in text
    assert "$x$ *lunch* #read" in text
    for table in (small.path / "out").glob("*.csv"):
        with table.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r"))], table.name


PROGRAM = "import sys; from whoworks.cli import main; sys.argv[0] = 'whoworks'; main()"


def start(folder, *words):
    """Start a command in a process of its own."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *map(str, words)], cwd=folder, **silent)


def is_whole(folder, found):
    """Tell whether a report's files are those that its manifest names, byte for byte."""
    named = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    return named == {name: value for name, value in found.items() if name != "manifest.json"}


def test_a_run_that_is_killed_leaves_the_last_report_or_the_new_one_whole(small):
    begin = time.perf_counter()
    assert start(small.path, "report", small.plan, "--out", "out").wait() == 0
    whole = time.perf_counter() - begin
    before = fingerprints(small.path / "out")
    small.change(lambda row: row | {"reading": f"{float(row['reading']) + 1:.1f}"})
    for share in (0.5, 0.7, 0.85):
        again = start(small.path, "report", small.plan, "--out", "out")
        time.sleep(share * whole)
        again.kill()
        again.wait()
        after = fingerprints(small.path / "out")
        assert after == before or is_whole(small.path / "out", after)


def test_the_demo_needs_nothing_and_writes_a_pilot_and_its_report_without_a_network(whoworks, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    answer = whoworks("demo", "--out", "demo")
    assert answer.code == 0
    assert (tmp_path / "demo" / "pilot" / "truth.json").is_file()
    assert (tmp_path / "demo" / "report" / "report.pdf").is_file()
    assert "Report: demo/report/report.pdf" in answer.out
    assert all(len(line) <= 80 for line in answer.out.splitlines())


def test_a_student_whom_the_plan_leaves_out_is_not_told(small, whoworks):
    small.edit('key = ["student_id"]', 'key = ["student_id"]\nkeep = "student_id != \'PLANTED-ID-0003\'"')
    checked, written = whoworks("check", small.plan), whoworks("report", small.plan, "--out", "out")
    assert (checked.code, written.code) == (0, 0)
    said = checked.out + checked.err + written.out + written.err
    files = [path for path in (small.path / "out").rglob("*") if path.suffix in {".csv", ".json", ".svg"}]
    said += "".join(path.read_text(encoding="utf-8") for path in files)
    assert "not kept by a condition on student_id (1 code)" in said
    assert not [planted for planted in PLANTED if planted in said]


@pytest.fixture
def unused(monkeypatch):
    """Fail when a study is run: the folder is looked at before anything is computed."""

    def computed(*_, **__):
        raise AssertionError("the study was run")

    monkeypatch.setattr("whoworks.study.Study.run", computed)


def test_a_report_never_takes_the_place_of_the_folder_one_stands_in(small, whoworks, unused):
    answer = whoworks("report", small.plan, "--out", ".")
    assert answer.code == 2
    assert "where you stand. Give --out a folder in it" in answer.err


def test_the_folder_of_reports_is_looked_at_first(small, whoworks, unused):
    (small.path / "reports").write_text("mine")
    answer = whoworks("report", small.plan)
    assert answer.code == 2
    assert "reports is a file" in answer.err


def test_records_whose_name_is_no_unicode_are_reported_on(small, whoworks):
    data = small.data.rename(small.path / "caf\udce9.csv")
    answer = whoworks("report", small.plan, "--data", data, "--out", "out")
    assert answer.code == 0, answer.err
    manifest = json.loads((small.path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"][0]["file"] == "caf?.csv"
