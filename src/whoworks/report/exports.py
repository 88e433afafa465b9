"""The tables beside the PDF: findings, checks, ledger and what was withheld, for machines to read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from whoworks import columns
from whoworks.checks.verdict import Check
from whoworks.findings.finding import Finding
from whoworks.panel.ledger import Entry
from whoworks.report.answer import tell_answer
from whoworks.report.cells import Withholding
from whoworks.report.complements import COUNTS
from whoworks.report.disclosure import Released
from whoworks.report.labels import Words
from whoworks.report.numbers import rounded
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.spreadsheet import write_csv


def findings_csv(findings: Iterable[Finding]) -> bytes:
    """Return ``findings.csv``: one row per estimate; a withheld one keeps its identity alone."""
    return write_csv(header=columns.FINDINGS, rows=map(finding_row, findings))


def finding_row(finding: Finding) -> dict[str, object]:
    """Return a finding's cells; counts that do not apply or are withheld are empty."""
    row = {name: getattr(finding, name) for name in columns.FINDINGS}
    row |= {name: "" for name in COUNTS if finding.suppressed or not (row[name] or finding.n_units)}
    if not finding.n_tests:
        row["n_tests"] = ""
    return row


def findings_json(released: Released, chosen: Selection, words: Words) -> bytes:
    """Return ``findings.json``: the answer, every finding with its sentence, caps and notes, and the caveats."""
    evidence = released.evidence
    payload = {
        "study": evidence.plan.study.name,
        "question": evidence.plan.study.question,
        "plan": evidence.plan.hash,
        "answer": list(tell_answer(released, chosen, words)),
        "findings": [finding_record(finding, words) for finding in evidence.findings],
        "caveats": [
            {"caveat_id": c.caveat_id, "subject": c.subject, "gravity": c.gravity, "sentence": c.sentence}
            for c in evidence.caveats
        ],
    }
    return (json.dumps(payload, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def finding_record(finding: Finding, words: Words) -> dict[str, object]:
    """Return a finding as JSON: its columns, its sentence, and what held its credibility down."""
    record = {name: rounded(value) for name, value in finding_row(finding).items()}
    record |= {name: None for name, value in record.items() if value == "" and name in (*COUNTS, "n_tests")}
    record |= {"cluster": finding.cluster, "caps": list(finding.caps), "notes": list(finding.notes)}
    looks = finding.robustness
    record["robustness"] = None if looks is None else {name: rounded(value) for name, value in asdict(looks).items()}
    steady = finding.steadiness
    record["steadiness"] = None if steady is None else {name: rounded(value) for name, value in steady.tidy().items()}
    return record | {"sentence": tell(finding, words)}


def checks_csv(checks: Iterable[Check]) -> bytes:
    """Return ``checks.csv``."""
    rows = ({name: getattr(check, name) for name in columns.CHECKS} for check in checks)
    return write_csv(header=columns.CHECKS, rows=map(drop_absent, rows))


def ledger_csv(entries: Iterable[Entry]) -> bytes:
    """Return ``ledger.csv``."""
    rows = ({name: getattr(entry, name) for name in columns.LEDGER} for entry in entries)
    return write_csv(header=columns.LEDGER, rows=map(drop_absent, rows))


def suppressed_csv(withheld: Iterable[Withholding]) -> bytes:
    """Return ``suppressed.csv``: what was withheld and why, never the number."""
    rows = ({name: getattr(item, name) for name in columns.SUPPRESSED} for item in withheld)
    return write_csv(header=columns.SUPPRESSED, rows=rows)


def drop_absent(row: dict[str, object]) -> dict[str, object]:
    """Leave counts below zero empty: they have no meaning yet, or are withheld."""
    return {
        name: "" if name.startswith("n_") and isinstance(value, int) and value < 0 else value
        for name, value in row.items()
    }
