"""Writing a report: evidence in, a folder out; whole or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from whoworks.checks.verdict import Check
from whoworks.panel.ledger import Ledger
from whoworks.panel.panel import Panel, Provenance
from whoworks.plan.plan import Plan
from whoworks.report.cells import Withholding
from whoworks.report.charts import draw_charts, refer
from whoworks.report.compose import compose_document
from whoworks.report.disclosure import withhold, withhold_flow
from whoworks.report.evidence import Evidence, peak_memory_mb
from whoworks.report.exports import checks_csv, findings_csv, findings_json, ledger_csv, suppressed_csv
from whoworks.report.folder import publish, require_writable
from whoworks.report.labels import read_words
from whoworks.report.manifest import NAME, compose_manifest, data_hash, read_manifest
from whoworks.report.selection import select
from whoworks.report.typeset import typeset

LONGEST_SLUG = 60
REPORT = "report.pdf"


def write_report(evidence: Evidence, out: Path) -> Path:
    """Write the report of one run into the folder `out` and return it.

    Everything is composed before the folder is touched; a run that fails or is
    killed leaves the last report as it was.

    Raises
    ------
    ReportError
        When `out` holds something else, cannot be written, or a figure or the PDF cannot be made.
    """
    target = require_writable(out)
    files = compose_files(evidence)
    files[NAME] = compose_manifest(
        plan=evidence.plan,
        provenance=withhold(evidence).evidence.provenance,
        command=evidence.command,
        timings=evidence.timings,
        peak_memory_mb=evidence.peak_memory_mb,
        files=files,
    )
    publish(files, target)
    return out


def compose_files(evidence: Evidence) -> dict[str, bytes]:
    """Return every file of a report but its manifest, by name; small cells are gone before anything is composed."""
    released = withhold(evidence)
    shown = released.evidence
    words = read_words(shown)
    chosen = select(released, words)
    charts = draw_charts(released, chosen, words)
    document = compose_document(released, chosen, words, refer(charts))
    figures = {f"figures/{chart.name}.svg": chart.svg() for chart in charts}
    return {
        REPORT: typeset(document, figures=figures, registered=shown.plan.study.registered),
        "findings.csv": findings_csv(shown.findings),
        "findings.json": findings_json(released, chosen, words),
        "checks.csv": checks_csv(shown.checks),
        "ledger.csv": ledger_csv(shown.ledger.entries),
        "suppressed.csv": suppressed_csv(released.withheld),
        **figures,
    }


def write_checks(
    *,
    plan: Plan,
    panel: Panel,
    ledger: Ledger,
    checks: Sequence[Check],
    stopped: str = "",
    command: str = "",
    out: Path | str | None = None,
) -> Path:
    """Write what a study that cannot carry its question still shows: checks, ledger, what is withheld, why it stopped.

    A finished report that stands in the folder is left as it is; the checks then
    go beside it, into ``<out>-checks``. Returns the folder written.
    """
    folder = folder_name(plan, panel.provenance) if out is None else Path(out)
    if read_manifest(folder) is not None and (folder / REPORT).exists():
        folder = folder.with_name(f"{folder.name}-checks")
    target = require_writable(folder)
    account: list[Withholding] = []
    shown, told, inputs = withhold_flow(plan, ledger, checks, panel.provenance, account)
    files = {
        "checks.csv": checks_csv(told),
        "ledger.csv": ledger_csv(shown.entries),
        "suppressed.csv": suppressed_csv(item for item in account if item.file != REPORT),
    }
    files[NAME] = compose_manifest(
        plan=plan,
        provenance=inputs,
        command=command,
        timings={},
        peak_memory_mb=peak_memory_mb(),
        files=files,
        stopped=stopped,
    )
    publish(files, target)
    return folder


def report_folder(evidence: Evidence) -> Path:
    """Return the folder a report goes to when none is named: ``reports/<study>/<plan8>-<data8>``."""
    return folder_name(evidence.plan, evidence.provenance)


def folder_name(plan: Plan, provenance: Sequence[Provenance]) -> Path:
    """Return ``reports/<study>/<plan8>-<data8>``, from the plan's and the data's hashes."""
    return Path("reports") / slug(plan.study.name) / f"{plan.hash[:8]}-{data_hash(provenance)[:8]}"


def slug(name: str) -> str:
    """Return a study's name as a folder's: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].rstrip("-") or "study"
