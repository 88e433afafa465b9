"""Rewrite the three small pilots of this folder; Lakeside comes from data/synthetic."""

from __future__ import annotations

from pathlib import Path

from whoworks.simulate.pilot import Pilot, make_pilot

SEED = 2026


def small_pilots() -> dict[str, Pilot]:
    """Students drawn in pairs within classes; eight schools assigned whole; shares that differ by school."""
    return {
        "students": make_pilot(
            "student-moderator", students=320, classes=16, schools=8, assigned="student", blocks="pair", seed=SEED
        ),
        "eight": make_pilot("classroom-moderator", students=240, classes=16, schools=8, assigned="school", seed=SEED),
        "shares": make_pilot("unequal-shares", students=640, classes=32, schools=8, seed=SEED),
    }


def write_records(folder: Path) -> None:
    """Write each pilot's records as one file."""
    for name, pilot in small_pilots().items():
        pilot.records.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.10g")


if __name__ == "__main__":
    write_records(Path(__file__).parent)
