"""What no tracked file may hold: a host, a machine's path, an unfinished thought."""

from __future__ import annotations

import re
import tomllib

from tests.architecture.source_tree import ROOT, text_of, tracked_files

HOSTS = re.compile(
    r"pypi\." + r"org|pythonhosted\." + r"org|npmjs\." + r"org|conda\." + r"anaconda|deb\.debian\." + r"org"
)
HOME = re.compile(r"(?<![\w.~])/(?:home|Users|root|work|mnt|opt)/\w")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|raise NotImplemented" + r"Error")


def holding(pattern: re.Pattern[str], suffixes: tuple[str, ...] = ()) -> list[str]:
    """Return ``file:line`` of every tracked line that holds the pattern."""
    found = []
    for path in tracked_files():
        text = text_of(path) if not suffixes or path.suffix in suffixes else None
        for number, line in enumerate((text or "").splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


def test_no_tracked_file_names_a_registry_host():
    assert holding(HOSTS) == []


def test_no_tracked_file_names_a_folder_of_somebody_s_machine():
    assert holding(HOME) == []


def test_nothing_is_left_unfinished():
    assert holding(UNFINISHED, suffixes=(".py", ".toml", ".md", ".typ", ".R", ".ipynb")) == []


def test_no_lock_file_is_tracked():
    assert not [path for path in tracked_files() if path.name in {"uv.lock", "pylock.toml"}]


def pins():
    """Return the lines of constraints.txt that pin a version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_constraints_pin_exactly_and_say_nothing_else():
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][\w.]*(?: ; [\w.'<>=! ()]+)?", line) for line in pins())


def test_constraints_pin_everything_we_depend_on():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.match(r"[A-Za-z0-9._-]+", requirement).group().lower() for requirement in wanted}
    assert names - {line.split("==")[0] for line in pins()} == set()
