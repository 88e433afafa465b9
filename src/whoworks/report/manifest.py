"""The manifest: what a folder of ours holds and what it was made from; the only file with clock times in it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whoworks.report.versions import versions

if TYPE_CHECKING:
    from whoworks.panel.panel import Provenance
    from whoworks.plan.plan import Plan

NAME = "manifest.json"
WRITTEN_BY = "whoworks"


def data_hash(provenance: Sequence[Provenance]) -> str:
    """Return the hash of the data: the file's own, or that of several files' hashes in the plan's order."""
    if len(provenance) == 1:
        return provenance[0].sha256
    return hashlib.sha256("".join(source.sha256 for source in provenance).encode()).hexdigest()


def compose_manifest(
    *,
    plan: Plan,
    provenance: Sequence[Provenance],
    command: str,
    timings: Mapping[str, float],
    peak_memory_mb: float,
    files: Mapping[str, bytes],
    stopped: str = "",
) -> bytes:
    """Return ``manifest.json``; `stopped` says why there are no findings, where there are none.

    In the name of a file that is not Unicode, a question mark stands for each byte.
    """
    manifest: dict[str, Any] = {
        "written_by": WRITTEN_BY,
        "study": plan.study.name,
        "versions": versions(plan.analysis.engine),
        "seed": plan.analysis.seed,
        "plan": plan.hash,
        "data": data_hash(provenance),
        "inputs": [describe_input(source) for source in provenance],
        "command": command,
        "seconds": {stage: round(seconds, 3) for stage, seconds in timings.items()},
        "peak_memory_mb": None if math.isnan(peak_memory_mb) else round(peak_memory_mb, 1),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    if stopped:
        manifest["stopped"] = stopped
    return (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode("utf-8", errors="replace")


def describe_input(source: Provenance) -> dict[str, str | int | None]:
    """Return one table's file, hash and size; rows that may not be told are null."""
    rows = None if source.n_rows < 0 else source.n_rows
    return {
        "table": source.table, "file": source.file, "sha256": source.sha256, "n_rows": rows,
        "n_columns": source.n_columns,
    }  # fmt: skip


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a folder's manifest where it is one of ours, else None."""
    try:
        manifest = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(manifest, dict) and manifest.get("written_by") == WRITTEN_BY
    return manifest if ours and isinstance(manifest.get("files"), dict) else None
