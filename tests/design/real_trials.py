"""Real trials kept outside the project, read through the whole door."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from whoworks.panel.build import build_panel
from whoworks.panel.panel import Panel
from whoworks.plan.plan import Plan
from whoworks.records.read import read_records


@cache
def load_panel(shared: Path, name: str) -> Panel:
    """Read the plan called `name` and build its panel."""
    plan = Plan.load(shared / "plans" / f"{name}.toml")
    return build_panel(plan, read_records(plan))
