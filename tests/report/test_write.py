"""A report and its neighbours: what is written, and what a stopped study still shows."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace
from types import SimpleNamespace

from tests.report.harbour import build
from whoworks import columns
from whoworks.panel.ledger import Entry
from whoworks.plan.plan import Plan
from whoworks.report.write import write_checks, write_report


def head(content: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(content.decode())))


def test_every_file_of_the_specification_is_there(files):
    named = {"report.pdf", "findings.csv", "findings.json", "checks.csv", "ledger.csv", "suppressed.csv"}
    assert named <= set(files)
    assert {name.split("/")[1] for name in files if "/" in name} == {
        "attrition.svg", "balance.svg", "curve-tch-yrs.svg", "forest.svg", "importance.svg", "participant-flow.svg",
        "sorted-groups.svg",
    }  # fmt: skip


def test_tables_have_exactly_their_columns(files):
    assert tuple(head(files["findings.csv"])) == columns.FINDINGS
    assert tuple(head(files["checks.csv"])) == columns.CHECKS
    assert tuple(head(files["ledger.csv"])) == columns.LEDGER
    assert tuple(head(files["suppressed.csv"])) == columns.SUPPRESSED


def test_findings_carry_ten_digits(evidence, files):
    rows = list(csv.DictReader(io.StringIO(files["findings.csv"].decode())))
    assert len(rows) == len(evidence.findings)
    assert rows[0]["estimate"] == "6.3214159"
    assert float(rows[0]["p_value"]) == float(f"{evidence.findings.items[0].p_value:.10g}")


def test_json_adds_sentences_caps_and_caveats(evidence, files):
    payload = json.loads(files["findings.json"])
    assert all(record["sentence"] for record in payload["findings"])
    assert any(record["caps"] for record in payload["findings"])
    assert [caveat["caveat_id"] for caveat in payload["caveats"]] == [c.caveat_id for c in evidence.caveats]


def test_the_manifest_holds_the_hash_of_every_file(tmp_path, evidence):
    out = write_report(evidence, tmp_path / "out")
    manifest = json.loads((out / "manifest.json").read_text())
    for name, sha256 in manifest["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == sha256
    assert manifest["command"] == "whoworks report plan.toml"
    assert manifest["plan"] == evidence.plan.hash


def stop(evidence, out):
    return write_checks(
        plan=evidence.plan, panel=SimpleNamespace(provenance=evidence.provenance), ledger=evidence.ledger,
        checks=evidence.checks, stopped="One arm.", out=out,
    )  # fmt: skip


def test_a_stopped_study_shows_its_checks_and_ledger(tmp_path, evidence):
    out = stop(evidence, tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == [
        "checks.csv",
        "ledger.csv",
        "manifest.json",
        "suppressed.csv",
    ]
    assert json.loads((out / "manifest.json").read_text())["stopped"] == "One arm."
    assert stop(evidence, out) == out


def test_a_stopped_study_accounts_for_every_count_that_it_withholds(tmp_path, evidence):
    small = Entry(step="excluded", reason="left", arm="sg", n_rows=3, n_units=3, n_clusters=1)
    out = stop(replace(evidence, ledger=evidence.ledger.plus([small])), tmp_path / "out")
    withheld = list(csv.DictReader(io.StringIO((out / "suppressed.csv").read_text())))
    assert any(row["file"] == "ledger.csv" for row in withheld)
    assert {row["file"] for row in withheld} <= {path.name for path in out.iterdir()}
    assert all(row["reason"] for row in withheld)


def test_a_stopped_study_leaves_a_finished_report_alone(tmp_path, evidence):
    out = write_report(evidence, tmp_path / "out")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    beside = stop(evidence, out)
    assert beside == tmp_path / "out-checks"
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_formulas_in_names_are_harmless_in_every_csv(tmp_path, evidence):
    text = evidence.plan.to_toml().replace("rd_post", "=cmd()")
    from whoworks.report.write import compose_files

    plan = Plan.parse(text)
    findings = [
        type(f)(**{n: getattr(f, n) for n in f.__dataclass_fields__} | {"outcome": "=cmd()"})
        for f in evidence.findings
        if f.outcome == "rd_post"
    ]
    made = compose_files(build(plan, findings, precision=(), checks=(), ledger=evidence.ledger))
    for row in csv.reader(io.StringIO(made["findings.csv"].decode())):
        assert not any(cell.startswith(("=", "@")) for cell in row)
