"""What the documentation says is true, can be found, and claims no more than the evidence allows."""

from __future__ import annotations

import json
import re

import pytest

from tests.architecture.source_tree import PACKAGE, ROOT
from whoworks import columns
from whoworks.plan.contents import TABLES
from whoworks.plan.plan import Plan

PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "data").rglob("*.md"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
REFUSED = re.compile(
    r"\bworks for\b|\bproves?\b|\bproven\b|\bno effect\b|\bbecause of\b|\bsignificant(?:ly)?\b|\bcertified\b",
    re.IGNORECASE,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def short(path):
    """Name a page in a test's id."""
    return str(path.relative_to(ROOT))


def links(page):
    """Return the files of ours that a page points to."""
    found = LINK.findall(page.read_text(encoding="utf-8"))
    return [(page.parent / target).resolve() for target in found if "://" not in target]


def blocks(page, language):
    """Return the fenced blocks of one language."""
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


def prose(path):
    """Return what a page or notebook says, without code."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.sub(r"`[^`\n]*`", "", BLOCK.sub("", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_link_leads_somewhere(page):
    assert [str(target.relative_to(ROOT)) for target in links(page) if not target.exists()] == []


def test_every_page_of_the_documentation_can_be_reached():
    reached, waiting = set(), [ROOT / "README.md", ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for target in links(page) if target.suffix == ".md" and target.exists()]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=short)
def test_no_page_claims_more_than_evidence_can_carry(page):
    text = " ".join(prose(page).split())
    assert REFUSED.findall(text) == []


def plans():
    """Return every plan that is printed in the documentation."""
    return [(short(page), number, text) for page in PAGES for number, text in enumerate(blocks(page, "toml"))]


@pytest.mark.parametrize(("page", "number", "text"), plans())
def test_every_plan_in_the_documentation_loads(page, number, text):
    assert Plan.parse(text, source=page).study.name


def test_the_plan_page_names_every_table_and_key():
    page = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    rows = page.split("## What the keys mean")[1]
    missing = [
        f"{table}.{key}" for table, model in TABLES.items() for key in model.model_fields if f"`{key}`" not in rows
    ]
    assert missing == []


def test_the_outputs_page_names_every_column_we_write():
    page = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    written = {*columns.FINDINGS, *columns.CHECKS, *columns.LEDGER, *columns.SUPPRESSED}
    assert [name for name in sorted(written) if f"`{name}`" not in page] == []


def test_the_architecture_page_lists_the_packages_there_are():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = page.split("| package | what it holds |")[1].split("##")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert len(listed) == len(set(listed))
    assert set(listed) == packages | modules


def test_the_architecture_page_names_folders_and_files_that_exist():
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    inside = re.findall(r"`((?:\w+/)+(?:\w+\.\w+)?)`", page)
    assert [name for name in inside if not ((ROOT / name).exists() or (PACKAGE / name).exists())] == []


def test_decisions_are_numbered_without_gaps_listed_and_say_context_decision_consequence():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    listed = re.findall(r"\(decisions/([^)]+)\)", (ROOT / "docs" / "README.md").read_text(encoding="utf-8"))
    assert listed == [page.name for page in pages]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert all(f"**{part}" in text for part in ("Context", "Decision", "Consequence")), page.name


def test_the_changelog_has_a_place_for_numbers_that_moved():
    assert "### Numbers" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
