"""Data flows one way, and imports point the other way."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source_tree import PACKAGE, ROOT, dotted, home, imported, modules

GROUND = {"errors", "columns", "language", "kernels"}
ROAD = (
    "plan", "records", "panel", "design", "checks", "scores", "forests", "findings", "report", "run", "study", "cli",
)  # fmt: skip

MAY_KNOW: dict[str, set[str]] = {name: set() for name in (*GROUND, "inference")}
for place, name in enumerate(ROAD):
    MAY_KNOW[name] = GROUND | {"inference"} | set(ROAD[:place])
MAY_KNOW["forests"] -= {"scores"}
MAY_KNOW["simulate"] = GROUND | {"plan", "panel", "design"}
MAY_KNOW["cli"] |= {"simulate", ""}  # "" is whoworks itself, whose public names lead everywhere

NETWORK = {
    "aiohttp", "ftplib", "http", "httplib2", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket",
    "socketserver", "ssl", "telnetlib", "urllib", "urllib3", "webbrowser", "websockets", "xmlrpc",
}  # fmt: skip


def breaches(name: str, imports: list[str]) -> list[str]:
    """Return the imports of our own that a module of package `name` may not have ("" is whoworks itself)."""
    ours = [m for m in imports if m.split(".")[0] == "whoworks" and m != "whoworks.__version__"]
    return [module for module in ours if home(module) not in MAY_KNOW[name] | {name}]


@pytest.mark.parametrize("path", modules(), ids=lambda path: dotted(path))
def test_a_module_imports_only_from_below(path):
    name = home(dotted(path))
    if name == "":
        return  # the public names: they are loaded lazily, from everywhere
    assert name in MAY_KNOW, f"{name} has no place in the order of knowledge"
    assert breaches(name, list(imported(path))) == []


def test_the_rule_refuses_an_import_that_points_up():
    assert breaches("plan", ["whoworks.panel.panel"]) == ["whoworks.panel.panel"]
    assert breaches("scores", ["whoworks.forests.protocol"]) == ["whoworks.forests.protocol"]
    assert breaches("forests", ["whoworks.scores.scores"]) == ["whoworks.scores.scores"]
    assert breaches("inference", ["whoworks.errors"]) == ["whoworks.errors"]
    assert breaches("panel", ["whoworks"]) == ["whoworks"]
    assert breaches("simulate", ["whoworks.findings.finding"]) == ["whoworks.findings.finding"]


def rooms() -> list[str]:
    """Return the rooms of `findings` in the order in which the page of the architecture lists them."""
    return re.findall(r"^\| `findings/(\w+)/` \|", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE)


def room(module: str) -> str:
    """Return the room of `findings` that a dotted name lies in, "" for the folder itself."""
    parts = module.split(".")
    return parts[2] if len(parts) > 3 else ""


def test_the_page_lists_the_rooms_of_findings():
    assert sorted(rooms()) == sorted(path.parent.name for path in (PACKAGE / "findings").glob("*/__init__.py"))


@pytest.mark.parametrize("path", sorted((PACKAGE / "findings").rglob("*.py")), ids=lambda path: dotted(path))
def test_a_room_of_findings_knows_the_rooms_above_it(path):
    own = room(dotted(path))
    if dotted(path) == "whoworks.findings.find":
        return  # asks all of them
    known = {"", own, *(rooms()[: rooms().index(own)] if own else ())}
    inside = [module for module in imported(path) if module.startswith("whoworks.findings.")]
    assert [module for module in inside if room(module) not in known or module == "whoworks.findings.find"] == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: dotted(path))
def test_nothing_imports_the_network(path):
    assert NETWORK.isdisjoint(module.split(".")[0] for module in imported(path))


def test_nothing_imports_the_tests():
    assert not [path for path in modules() if any(module.startswith("tests") for module in imported(path))]
    assert (ROOT / "tests").is_dir()
