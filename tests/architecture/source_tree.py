"""What the tests of the house look at: tracked files, modules, and what each module imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "whoworks"


def tracked_files() -> list[Path]:
    """List the files git tracks; outside a checkout, every file that is not a cache or a product."""
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode == 0 and answer.stdout:
        return [ROOT / name for name in answer.stdout.split("\0") if name and (ROOT / name).is_file()]
    hidden = {".venv", ".git", "__pycache__", "reports", ".cache"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.parts)]


def text_of(path: Path) -> str | None:
    """Return a file's text, or None when it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def modules() -> list[Path]:
    """List the source files of whoworks."""
    return sorted(PACKAGE.rglob("*.py"))


def home(module: str) -> str:
    """Return the package (or top module) of whoworks that a dotted name lies in: whoworks.plan.levels -> plan."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def dotted(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Yield every module a file imports, wherever in the file, as absolute dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            whole = node.module == "whoworks"
            yield from (f"whoworks.{alias.name}" for alias in node.names) if whole else [node.module or ""]
