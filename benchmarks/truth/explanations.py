"""Why a bar is missed, where it is: one sentence with its evidence, or that it is not known yet."""

from __future__ import annotations

import pandas as pd
from benchmarks.truth.bars import SIZES, Bar
from benchmarks.truth.cells import Cell
from benchmarks.truth.diagnosands import ORACLE_PRECISION, PRECISION

OPEN = "not explained yet"
FEW = (
    "with few clusters, or groups that few of them hold, CR2 with Satterthwaite's degrees of freedom rejects less "
    "often than asked"
)


def explain(cell: Cell, bar: Bar, row: pd.Series, told: pd.DataFrame, larger: pd.DataFrame | None = None) -> str:
    """Return the explanation of a miss.

    told : the table's rows of that cell
    larger : those of cells with more clusters and the same world, assignment and ICC
    """
    target, measure = str(row["diagnosand"]).rsplit(": ", 1)
    if measure in SIZES and bar.low == bar.high and row["high"] < bar.low:
        own = told[told["procedure"] == row["procedure"]].set_index("diagnosand")
        return _safe(target, bar, own) if measure == "size" else f"safe: {FEW}"
    if cell.world == "attrition" and measure == "coverage":
        return (
            "scores are missing by arm and fall score at once: the effect among those measured is another one; reports "
            "of such pilots fail the attrition check and say so"
        )
    if row["diagnosand"] == "average: SE / spread" and row["low"] > bar.high:
        return _safe_as_the_oracle(bar, told)
    if cell.world == "class-varying" and row["diagnosand"] == PRECISION:
        floor = precision_floor(cell)
        return (
            f"no prognosis removes how effects vary over what is assigned: with every slope known the ratio would be "
            f"{floor:.2f} here, and the oracle's intervals are as long as ours"
        )
    if row["diagnosand"] == PRECISION:
        return _imprecise(cell, bar, told, larger)
    return OPEN


def _imprecise(cell: Cell, bar: Bar, told: pd.DataFrame, larger: pd.DataFrame | None) -> str:
    """Tell a limit that holds for who knows what scores follow, too, from what learning it costs."""
    oracle = told[told["diagnosand"] == ORACLE_PRECISION]
    if not len(oracle):
        return OPEN
    value = float(oracle["value"].iloc[0])
    known = f"a regression that knows what scores follow has {_with_error(oracle.iloc[0])}"
    if value > bar.high:
        reason = "; within pairs that are alike there is little left to explain" if cell.layout.blocks == "pair" else ""
        return f"even {known} on the same pilots{reason}"
    if larger is None:
        return OPEN
    more = larger[(larger["diagnosand"] == PRECISION) & (larger["met"] == "yes")].sort_values("clusters")
    if not len(more):
        return OPEN
    return (
        f"what it costs to learn from {cell.clusters} clusters what scores follow: {known} on the same pilots, and "
        f"with {more['clusters'].iloc[0]} clusters ours has {_with_error(more.iloc[0])} in this world"
    )


def _with_error(row: pd.Series) -> str:
    return f"{row['value']:.3f} (Monte-Carlo error {row['mc_error']:.3f})"


def _safe_as_the_oracle(bar: Bar, told: pd.DataFrame) -> str:
    """Say that errors are as large for a regression that knows what scores follow, where that was measured."""
    oracle = told[told["diagnosand"] == "oracle difference: SE / spread"]
    if not len(oracle) or float(oracle["value"].iloc[0]) <= bar.high:
        return OPEN
    value, error, n = (float(oracle[name].iloc[0]) for name in ("value", "mc_error", "replicates"))
    return (
        f"safe, and no fault of the prognosis: CR2 tells errors of {value:.2f} of the spread (Monte-Carlo error "
        f"{error:.2f}, {n:.0f} replicates) for a regression that knows what scores follow, too"
    )


def _safe(target: str, bar: Bar, told: pd.DataFrame) -> str:
    name = f"{target}: size among the assessable"
    if name not in told.index:
        return f"safe: {FEW}"
    untold, among = told.loc[f"{target}: not assessable"], told.loc[name]
    said = f"{among['value']:.3f} (Monte-Carlo error {among['mc_error']:.3f}) of the others reject"
    holds = among["low"] <= bar.low <= among["high"]
    return (
        f"safe: {100 * untold['value']:.0f} % of pilots leave the question not assessable, which counts as no claim; "
        f"{said}{'' if holds else f', since {FEW}'}"
    )


def precision_floor(cell: Cell) -> float:
    """Return the smallest ratio of errors in a world whose effects vary over classes, ICC and r as they are.

    Of a class's mean, icc + (1 - icc) / n is the variance without the programme, of which r^2 can be
    predicted; `varying`^2 is added in the offered arm, and stays. Schools as blocks take half of both away.
    """
    world, n = cell.truth_world, cell.per_cluster
    between = 0.5 if cell.layout.block_level else 1.0
    plain = between * cell.icc + (1 - cell.icc) / n
    rest, varying = plain * (1 - world.correlation[0] ** 2), between * world.varying**2
    return float(((2 * rest + varying) / (2 * plain + varying)) ** 0.5)
