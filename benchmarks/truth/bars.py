"""The bars: what each diagnosand may be, where it is asked, and whether a cell meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.truth.cells import Cell
from benchmarks.truth.diagnosands import Diagnosand

SIZES = ("size", "size among the assessable")
SEARCHES = ("omnibus", "calibration", "sorted groups", "ranking", "top third")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: [low, high] for the diagnosands of ours that `asks` picks.

    A cell misses it when the 99.9 % Monte-Carlo interval lies wholly outside.
    """

    words: str
    low: float
    high: float
    asks: Callable[[Cell, str, str], bool]

    def is_missed(self, found: Diagnosand) -> bool:
        """Tell whether the diagnosand's Monte-Carlo interval lies wholly outside."""
        return found.low > self.high or found.high < self.low


def _is_planned(cell: Cell, target: str) -> bool:
    return target.startswith("difference ") and target.split(" ", 1)[1] in cell.truth_world.planned


def _asks_coverage(cell: Cell, target: str, measure: str) -> bool:
    is_interval = target == "average" or target.startswith("subgroup ") or _is_planned(cell, target)
    return measure == "coverage" and cell.clusters >= 12 and is_interval


def _asks_calibration(cell: Cell, target: str, measure: str) -> bool:
    return measure == "SE / spread" and cell.clusters >= 12 and (target == "average" or _is_planned(cell, target))


def _asks_precision(cell: Cell, target: str, measure: str) -> bool:
    predicts = cell.truth_world.correlation == (0.7, 0.7, 0.7) and not cell.truth_world.binary
    heavy = cell.truth_world.heavy_tails
    return measure == "SE / plain difference's" and cell.clusters >= 20 and predicts and not heavy


def _asks_power(cell: Cell, target: str, measure: str) -> bool:
    at_forty = cell.world == "student-moderator" and cell.clusters == 40 and cell.per_cluster == 25
    return measure == "power less the oracle's" and target == "difference frl" and at_forty


def _is_flat(cell: Cell) -> bool:
    world = cell.truth_world
    return not (world.binary or any((world.by_frl, world.by_el, world.by_devices, world.by_both, world.peak)))


BARS = (
    Bar(words="coverage of 95 % intervals, 12 clusters or more", low=0.93, high=0.97, asks=_asks_coverage),
    Bar(words="size of planned differences at 5 %", low=0.05, high=0.05,
        asks=lambda cell, target, measure: measure in SIZES and _is_planned(cell, target)),
    Bar(words="size of searches at 5 %", low=0.0, high=0.07,
        asks=lambda cell, target, measure: measure in SIZES and target in SEARCHES),
    Bar(words="any claim moderate or better where nothing recorded matters", low=0.0, high=0.05,
        asks=lambda cell, target, measure: measure == "any moderate or better" and _is_flat(cell)),
    Bar(words="root mean squared error told over spread, 12 clusters or more", low=0.93, high=1.10,
        asks=_asks_calibration),
    Bar(words="candidates: mean of estimate less truth", low=0.0, high=0.0,
        asks=lambda cell, target, measure: target == "candidate" and measure == "bias"),
    Bar(words="error of the average over the plain difference's, 20 clusters or more", low=0.0, high=0.75,
        asks=_asks_precision),
    Bar(words="power less the oracle's, lunch moderates by 0.25 SD, 40 classes of 25", low=-0.05, high=1.0,
        asks=_asks_power),
)  # fmt: skip


def bar_of(cell: Cell, found: Diagnosand) -> Bar | None:
    """Return the bar that a diagnosand of ours has to meet in a cell; None where there is none."""
    if found.procedure != "whoworks" or ": " not in found.name:
        return None
    target, measure = found.name.rsplit(": ", 1)
    return next((bar for bar in BARS if bar.asks(cell, target, measure)), None)
