"""Rebuild the pilots that the project ships: ``python -m whoworks.simulate.build data/synthetic``."""

from __future__ import annotations

import sys
from pathlib import Path

from whoworks.simulate.pilot import make_pilot

SHIPPED = ("lakeside",)


def build(folder: Path) -> list[Path]:
    """Write every shipped pilot into a folder of its own below `folder`; datasheets stay as they are."""
    return [make_pilot(world).write(folder / world) for world in SHIPPED]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
