"""What others would do with the same data: an oracle, ordinary regressions, row-wise scores, and others' forests."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks import grf
from whoworks.inference.cluster_robust import cluster_robust

if TYPE_CHECKING:
    from benchmarks.truth.cells import Cell
    from benchmarks.truth.true_values import Truth

    from whoworks.run import Run

Row = dict[str, Any]
GRF = "grf causal_forest"
FOREST_REPLICATES = 100  # others' forests are slow: they answer in the first of a cell's replicates
FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The analysed students as a plain table: what any other package would be given.

    y, z : (n,) outcome and arm;  cluster, block : (n,) codes
    x : (n, p) everything recorded, numbers with gaps filled by the mean, categories as indicators
    moderators : for each planned moderator, (n,) 0/1 or NaN
    """

    y: np.ndarray
    z: np.ndarray
    own: np.ndarray
    cluster: np.ndarray
    block: np.ndarray
    fall: np.ndarray
    x: np.ndarray
    moderators: dict[str, np.ndarray]

    @classmethod
    def of(cls, run: Run, names: tuple[str, ...]) -> Table:
        """Take it from a run's panel: the students whose outcome was analysed."""
        scores = run.settings[0].scores
        values = run.panel.values.iloc[scores.rows].reset_index(drop=True)
        columns = [_filled(values[name]) for name in values.columns if name in RECORDED]
        plan = {m.name: m for m in run.plan.moderators if m.planned and m.kind == "category"}
        coded = {name: _coded(values[name], tuple(plan[name].values)) for name in names if name in plan}
        return cls(
            y=scores.y, z=scores.z, own=scores.own, cluster=scores.cluster, block=scores.block,
            fall=_filled(values["rit_fall"])[:, 0], x=np.hstack(columns), moderators=coded,
        )  # fmt: skip


RECORDED = ("rit_fall", "frl", "el", "sex", "devices", "teacher_years", "setting")


def _filled(column: pd.Series) -> np.ndarray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.get_dummies(column).to_numpy(dtype=float)[:, 1:]
    numbers = column.to_numpy(dtype=float)
    return np.where(np.isnan(numbers), np.nanmean(numbers), numbers)[:, None]


def _coded(column: pd.Series, levels: tuple[str, ...]) -> np.ndarray:
    text = column.astype(object)
    code = np.where((text == levels[1]).to_numpy(), 1.0, 0.0)
    return np.where(column.isna().to_numpy(), np.nan, code)


def ask_peers(cell: Cell, run: Run, truth: Truth, *, number: int) -> Iterator[Row]:
    """Yield the peers' rows: the average, and the difference along each planned category.

    EconML's forest, and grf where R has it, answer in the first of the replicates in which we
    predict effects too, the others in those after.
    """
    after = number - cell.forest_replicates
    grows = after < 0 and number < FOREST_REPLICATES
    if not cell.peer_replicates or not (grows or 0 <= after < cell.peer_replicates):
        return
    table = Table.of(run, cell.truth_world.planned)
    rng = np.random.default_rng([number, 7])
    asked = _forests(table, number) if grows else (*_regressions(table), *_row_wise(table, rng))
    yield from _rows(asked, cell, run, truth)


def ask_grf(cell: Cell, run: Run, truth: Truth, *, number: int) -> Iterator[Row]:
    """Yield grf's rows alone, for replicates that the others have answered before."""
    yield from _rows(_grf(Table.of(run, cell.truth_world.planned), number), cell, run, truth)


def _rows(asked: Iterable[Row], cell: Cell, run: Run, truth: Truth) -> Iterator[Row]:
    """Put answers in SD of the outcome beside what is true."""
    contrast, outcome = run.settings[0].scores.contrast, cell.truth_world.outcome
    for row in asked:
        moderator = row.pop("moderator")
        name = _finding_id(outcome, contrast, moderator, run)
        estimate, se, df = row["estimate"] / truth.scale, row["se"] / truth.scale, row["df"]
        if not se > 0:  # the data cannot tell the difference from others
            estimate = se = np.nan
        half = stats.t.ppf(0.975, df) * se
        yield {
            "procedure": row["procedure"], "target": f"difference {moderator}" if moderator else "average",
            "estimate": estimate, "se": se, "df": df, "p": 2 * stats.t.sf(abs(estimate / se), df),
            "low": estimate - half, "high": estimate + half, "truth": truth.given.get(name, np.nan),
            "null": truth.population.get(name) == 0.0,
        }  # fmt: skip


def _finding_id(outcome: str, contrast: str, moderator: str, run: Run) -> str:
    if not moderator:
        return f"{outcome}::{contrast}:itt:average:::student"
    level = list(next(m for m in run.plan.moderators if m.name == moderator).values)[1]
    return f"{outcome}::{contrast}:itt:difference:{moderator}:{level}:student"


def _answer(procedure: str, moderator: str, estimate: float, se: float, df: float) -> Row:
    return {"procedure": procedure, "moderator": moderator, "estimate": estimate, "se": se, "df": df}


# ---- regressions ----------------------------------------------------------------------------------------------------


def _regressions(table: Table) -> Iterator[Row]:
    """Yield y on z, the moderator and z times it, the fall score and blocks, with four kinds of error.

    The oracle knows which columns the world's outcome follows (the fall score, between and
    within classes) and weights by design; its errors are CR2. The others adjust for the fall
    score as it is; their errors take students as independent (iid), or are CR1 with G - 1, or
    CR2 with Satterthwaite's degrees of freedom.
    """
    everyone = np.ones(len(table.y), dtype=bool)
    jobs = [("", np.zeros(len(table.y)), everyone)]
    jobs += [(name, np.nan_to_num(m), ~np.isnan(m)) for name, m in table.moderators.items()]
    for name, m, keep in jobs:
        own = [m, table.z * m] if name else []
        place = 2 if name else 0
        yield _robust("oracle", name, table, [table.z, *own], place, keep, oracle=True, kind="CR2")
        for kind in ("CR1", "CR2"):
            label = f"OLS interaction, {kind}"
            yield _robust(label, name, table, [table.z, *own], place, keep, oracle=False, kind=kind)
        yield _plain(name, table, [table.z, *own], place, keep)


def _robust(
    procedure: str, moderator: str, table: Table, columns: list[np.ndarray], place: int, keep: np.ndarray,
    *, oracle: bool, kind: str,
) -> Row:  # fmt: skip
    fall = [table.fall]
    if oracle:
        size = np.bincount(table.cluster)
        mean = (np.bincount(table.cluster, table.fall) / np.maximum(size, 1))[table.cluster]
        fall = [mean, table.fall - mean] if size.max() > 1 else fall
    x = np.column_stack([*columns, *fall])[keep]
    blocks = table.block[keep]
    blocked = blocks.max() > blocks.min()
    fit = cluster_robust(
        X=x if blocked else np.column_stack([x, np.ones(len(x))]), y=table.y[keep], cluster=table.cluster[keep],
        weights=1 / table.own[keep] if oracle else None, absorb=blocks if blocked else None, kind=kind,
    )  # fmt: skip
    contrast = np.zeros(len(fit.coefficients))
    contrast[place] = 1.0
    told = fit.linear(contrast)
    df = float(told.df[0]) if kind == "CR2" else len(np.unique(table.cluster[keep])) - 1.0
    return _answer(procedure, moderator, float(told.estimate[0]), float(told.std_error[0]), df)


def _plain(moderator: str, table: Table, columns: list[np.ndarray], place: int, keep: np.ndarray) -> Row:
    dummies = (table.block[keep][:, None] == np.unique(table.block[keep])).astype(float)
    x = np.column_stack([np.column_stack([*columns, table.fall])[keep], dummies])
    slopes, *_ = np.linalg.lstsq(x, table.y[keep], rcond=None)
    rest, df = table.y[keep] - x @ slopes, float(len(x) - np.linalg.matrix_rank(x))
    spread = np.linalg.pinv(x.T @ x)[place, place] * (rest @ rest) / df
    return _answer("OLS interaction, iid", moderator, float(slopes[place]), float(np.sqrt(spread)), df)


# ---- learners that split and score by rows --------------------------------------------------------------------------


def _row_wise(table: Table, rng: np.random.Generator) -> Iterator[Row]:
    """Yield doubly robust averages and group differences as DoubleML's interactive regression model forms them.

    Outcome models by arm (ridge) and the propensity (logistic) are learned on everything recorded,
    cross-fitted over folds of rows; group effects are means of the scores, errors those of
    independent rows (Chernozhukov et al. 2018; Semenova & Chernozhukov 2021).
    """
    from sklearn.linear_model import LogisticRegression, RidgeCV

    y, z = table.y, table.z
    x = (table.x - table.x.mean(axis=0)) / np.maximum(table.x.std(axis=0), 1e-9)
    fold = rng.permutation(np.arange(len(y)) % FOLDS)
    mu, e = np.empty((2, len(y))), np.empty(len(y))
    for k in range(FOLDS):
        learn, left = fold != k, fold == k
        for arm in (0, 1):
            model = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(x[learn & (z == arm)], y[learn & (z == arm)])
            mu[arm, left] = model.predict(x[left])
        e[left] = LogisticRegression(max_iter=500).fit(x[learn], z[learn]).predict_proba(x[left])[:, 1]
    e = e.clip(0.01, 0.99)
    score = mu[1] - mu[0] + z * (y - mu[1]) / e - (1 - z) * (y - mu[0]) / (1 - e)
    name, large = "row-wise doubly robust scores", 1e6
    yield _answer(name, "", float(score.mean()), float(score.std(ddof=1) / np.sqrt(len(y))), large)
    for moderator, code in table.moderators.items():
        groups = [score[code == level] for level in (0, 1)]
        error = np.sqrt(sum(group.var(ddof=1) / len(group) for group in groups))
        yield _answer(name, moderator, float(groups[1].mean() - groups[0].mean()), float(error), large)


def _forests(table: Table, number: int) -> Iterator[Row]:
    yield from _econml(table, number)
    if grf.is_there():
        yield from _grf(table, number)


def _econml(table: Table, number: int) -> Iterator[Row]:
    """Yield EconML's causal forest as its documentation shows it: both nuisances learned, folds of rows.

    `ate_inference` over all, and over each group for the difference, as if groups were independent.
    """
    from econml.dml import CausalForestDML
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = CausalForestDML(
        model_y=RandomForestRegressor(min_samples_leaf=10, random_state=number),
        model_t=RandomForestClassifier(min_samples_leaf=10, random_state=number),
        discrete_treatment=True, n_jobs=1, random_state=number,
    )  # fmt: skip
    name, large = "econml CausalForestDML", 1e6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        forest.fit(table.y, table.z.astype(int), X=table.x)
        everyone = forest.ate_inference(table.x)
        yield _answer(name, "", float(everyone.mean_point), float(everyone.stderr_mean), large)
        for moderator, code in table.moderators.items():
            low, high = (forest.ate_inference(table.x[code == level]) for level in (0, 1))
            error = float(np.hypot(low.stderr_mean, high.stderr_mean))
            yield _answer(name, moderator, float(high.mean_point - low.mean_point), error, large)


def _grf(table: Table, number: int) -> Iterator[Row]:
    """Yield grf's causal forest as its documentation shows it for clustered data (Athey & Wager 2019).

    Both nuisances learned, whole clusters in bags and in standard errors; the difference by the best linear projection
    on the group's indicator.
    """
    large = 1e6
    groups = np.column_stack([np.empty((len(table.y), 0)), *table.moderators.values()])
    told = grf.assess(table.x, table.y, table.z, table.cluster, groups, seed=number)
    for moderator, (estimate, error) in zip(("", *table.moderators), told.tolist(), strict=True):
        yield _answer(GRF, moderator, estimate, error, large)
