"""Rebuild the shipped pilots beside this file, byte for byte: ``python data/synthetic/make.py``."""

from __future__ import annotations

from pathlib import Path

from whoworks.simulate.pilot import make_pilot

SHIPPED = ("lakeside",)


def build(folder: Path) -> list[Path]:
    """Write each shipped pilot into a folder of its own below `folder`; datasheets stay as they are."""
    return [make_pilot(world).write(folder / world) for world in SHIPPED]


if __name__ == "__main__":
    build(Path(__file__).parent)
