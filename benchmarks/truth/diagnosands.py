"""What is told of a procedure in a cell: error rates, each with its Monte-Carlo error and 99.9 % interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.999  # of Monte-Carlo intervals: a bar is missed when they lie wholly outside it
WIDE = float(stats.norm.ppf(0.5 + LEVEL / 2))
ALPHA = 0.05
FEWEST = 20  # replicates below which a rate or a mean says nothing
PRECISION = "average: SE / plain difference's"
ORACLE_PRECISION = "average: oracle's SE / plain difference's"
GRADES = ("very low", "low", "moderate", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosand:
    """One number of the table: `name` is ``target: measure``; [low, high] its 99.9 % Monte-Carlo interval."""

    procedure: str
    name: str
    replicates: int
    value: float
    mc_error: float
    low: float
    high: float


def share(procedure: str, name: str, hits: np.ndarray) -> Diagnosand:
    """Return a share of replicates: Monte-Carlo error by the binomial, interval by Clopper and Pearson (1934)."""
    n, k = len(hits), int(np.sum(hits))
    tail = (1 - LEVEL) / 2
    low = float(stats.beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return Diagnosand(
        procedure=procedure, name=name, replicates=n, value=k / n, mc_error=float(np.sqrt(k / n * (1 - k / n) / n)),
        low=low, high=high,
    )  # fmt: skip


def mean(procedure: str, name: str, values: np.ndarray, *, replicate: np.ndarray | None = None) -> Diagnosand:
    """Return a mean; where a replicate has several values, its error counts replicates (`replicate` says which)."""
    rest = values - values.mean()
    sums = rest if replicate is None else np.bincount(np.unique(replicate, return_inverse=True)[1], rest)
    n = len(sums)
    error = float(np.sqrt((sums**2).sum() * n / max(n - 1, 1)) / len(values))
    return around(procedure, name, n, float(values.mean()), error)


def around(procedure: str, name: str, n: int, value: float, error: float) -> Diagnosand:
    """Return a diagnosand whose Monte-Carlo interval is the normal's about its value."""
    return Diagnosand(
        procedure=procedure, name=name, replicates=n, value=value, mc_error=error, low=value - WIDE * error,
        high=value + WIDE * error,
    )  # fmt: skip


def tell(rows: pd.DataFrame) -> list[Diagnosand]:
    """Tell every diagnosand of a cell from its replicates' rows."""
    told: list[Diagnosand] = []
    for (procedure, target), own in rows.groupby(["procedure", "target"], sort=False):
        if target == "candidate":
            told += _of_candidates(str(procedure), own)
        elif target in SIMPLE or str(target).startswith("seconds"):
            told += _of_one_number(str(procedure), str(target), own)
        elif target in REFERENCES:
            told += _of_errors(str(procedure), str(target), own[own["estimate"].notna() & own["truth"].notna()])
        else:
            told += _of_estimates(str(procedure), str(target), own)
    return [*told, *_of_claims(rows), *_of_precision(rows), *_beside_the_oracle(rows)]


SIMPLE = ("refused", "trees chosen")
REFERENCES = ("plain difference", "oracle difference")  # what ours is held against on the same pilots


def _of_one_number(procedure: str, target: str, own: pd.DataFrame) -> Iterator[Diagnosand]:
    values = own["estimate"].dropna().to_numpy()
    if target in SIMPLE:
        yield share(procedure, target, values > 0)
    elif len(values):
        yield mean(procedure, target, values)


def _of_estimates(procedure: str, target: str, own: pd.DataFrame) -> Iterator[Diagnosand]:
    """Yield what a target with an estimate, an error, a truth or a p allows."""
    if own["truth"].notna().any():
        yield from _of_truth(procedure, target, own[own["truth"].notna()])
    assessed = own["p"].notna()
    if target.startswith("subgroup"):
        return
    yield share(procedure, f"{target}: not assessable", ~assessed.to_numpy())
    p = own["p"].dropna().to_numpy()
    if len(p) >= FEWEST:
        word = "size" if own["null"].all() else "power"
        yield share(procedure, f"{target}: {word}", np.nan_to_num(own["p"].to_numpy(), nan=1.0) <= ALPHA)
        if len(p) < len(own):
            yield share(procedure, f"{target}: {word} among the assessable", p <= ALPHA)
        drawn = own["p_drawn"].dropna().to_numpy()
        if len(drawn) >= FEWEST and target != "omnibus":
            yield share(procedure, f"{target}: {word} by re-drawing", drawn <= ALPHA)


def _of_truth(procedure: str, target: str, own: pd.DataFrame) -> Iterator[Diagnosand]:
    found = own[own["estimate"].notna() & own["se"].notna()]
    if len(found) < FEWEST:
        return
    yield from _of_errors(procedure, target, found)
    estimate, truth = (found[name].to_numpy() for name in ("estimate", "truth"))
    yield share(procedure, f"{target}: coverage", ((found["low"] <= truth) & (truth <= found["high"])).to_numpy())
    length = (found["high"] - found["low"]).to_numpy()
    yield mean(procedure, f"{target}: length", length[np.isfinite(length)])
    rejected = (found["p"] <= ALPHA).to_numpy()
    if not own["null"].any() and rejected.sum() >= FEWEST and np.abs(truth).min() > 0:
        yield share(procedure, f"{target}: type S", (np.sign(estimate) != np.sign(truth))[rejected])
        yield mean(procedure, f"{target}: type M", (np.abs(estimate) / np.abs(truth))[rejected])


def _of_errors(procedure: str, target: str, found: pd.DataFrame) -> Iterator[Diagnosand]:
    """Yield how far estimates are from the truth, and how well their standard errors tell it."""
    if len(found) < FEWEST:
        return
    miss, n = (found["estimate"] - found["truth"]).to_numpy(), len(found)
    yield mean(procedure, f"{target}: bias", miss)
    square = mean("", "", miss**2)
    rmse = float(np.sqrt(square.value))
    yield around(procedure, f"{target}: RMSE", n, rmse, square.mc_error / (2 * rmse) if rmse else 0.0)
    yield _calibration(procedure, f"{target}: SE / spread", miss, found["se"].to_numpy())


def _calibration(procedure: str, name: str, miss: np.ndarray, se: np.ndarray) -> Diagnosand:
    """sqrt(mean SE^2) over the spread of errors; its error by the delta method on both variances."""
    n = len(miss)
    variance, squared = float(miss.var(ddof=1)), se**2
    ratio = float(np.sqrt(squared.mean() / variance))
    of_spread = (((miss - miss.mean()) ** 2).var(ddof=1)) / variance**2
    of_mean = squared.var(ddof=1) / squared.mean() ** 2
    return around(procedure, name, n, ratio, ratio / 2 * float(np.sqrt((of_spread + of_mean) / n)))


def _of_candidates(procedure: str, own: pd.DataFrame) -> Iterator[Diagnosand]:
    found = own[own["estimate"].notna() & own["truth"].notna()]
    if found["number"].nunique() < FEWEST:
        return
    number, miss = found["number"].to_numpy(), (found["estimate"] - found["truth"]).to_numpy()
    yield mean(procedure, "candidate: bias", miss, replicate=number)
    covered = ((found["low"] <= found["truth"]) & (found["truth"] <= found["high"])).to_numpy(dtype=float)
    yield mean(procedure, "candidate: coverage", covered, replicate=number)
    nulls = found[found["null"]]
    if nulls["number"].nunique() >= FEWEST:
        rejected = (nulls["p"] <= ALPHA).to_numpy(dtype=float)
        yield mean(procedure, "candidate: size", rejected, replicate=nulls["number"].to_numpy())


def _of_claims(rows: pd.DataFrame) -> Iterator[Diagnosand]:
    """Yield claims per pilot by grade, how many are false, and how often any of weight is made."""
    ours = rows[rows["procedure"] == "whoworks"]
    graded = ours[ours["credibility"].isin(GRADES)]
    numbers = np.unique(ours["number"])
    if len(numbers) < FEWEST or not len(graded):
        return
    place = np.searchsorted(numbers, graded["number"])
    for grade in GRADES[1:]:
        held = (graded["credibility"] == grade).to_numpy()
        yield mean("whoworks", f"claims: {grade}, per pilot", np.bincount(place[held], minlength=len(numbers)) * 1.0)
        if held.sum() >= FEWEST:
            yield share("whoworks", f"claims: {grade}, false share", graded["null"].to_numpy()[held])
    weighty = graded["credibility"].isin(GRADES[2:]).to_numpy()
    false = weighty & graded["null"].to_numpy()
    yield share("whoworks", "claims: any moderate or better", np.bincount(place[weighty], minlength=len(numbers)) > 0)
    yield share("whoworks", "claims: any false one", np.bincount(place[false], minlength=len(numbers)) > 0)


def _of_precision(rows: pd.DataFrame) -> Iterator[Diagnosand]:
    """Yield the root mean squared error told of the average over that of the plain difference, of the same pilots.

    Ours, and that of a regression that knows what the outcome follows.
    """
    ours = rows[rows["procedure"] == "whoworks"]
    plain = ours[ours["target"] == "plain difference"].set_index("number")["se"]
    for target, name in (("average", PRECISION), ("oracle difference", ORACLE_PRECISION)):
        own = ours[ours["target"] == target].set_index("number")["se"].reindex(plain.index)
        both = own.notna() & plain.notna()
        if both.sum() >= FEWEST:
            own_squared, plain_squared = own[both].to_numpy() ** 2, plain[both].to_numpy() ** 2
            ratio = float(np.sqrt(own_squared.mean() / plain_squared.mean()))
            moved = own_squared / own_squared.mean() - plain_squared / plain_squared.mean()
            error = ratio / 2 * float(moved.std(ddof=1) / np.sqrt(len(moved)))
            yield around("whoworks", name, len(moved), ratio, error)


def _beside_the_oracle(rows: pd.DataFrame) -> Iterator[Diagnosand]:
    """Yield power less the oracle's, of the same pilots."""
    for target, own in rows[rows["procedure"] == "oracle"].groupby("target", sort=False):
        ours = rows[(rows["procedure"] == "whoworks") & (rows["target"] == target)].set_index("number")
        oracle = own.set_index("number")
        both = oracle.index.intersection(ours.index)
        if len(both) < FEWEST or own["null"].all():
            continue
        gain = (ours.loc[both, "p"] <= ALPHA).to_numpy() * 1.0 - (oracle.loc[both, "p"] <= ALPHA).to_numpy()
        yield mean("whoworks", f"{target}: power less the oracle's", gain)
