"""The effect of receiving the programme, among those whom the offer moved to receive it (CACE)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.regression import fit_effects
from whoworks.findings.setting import FEW_DF, NO_ERROR, TOO_FEW_DF, Mask, Setting

ROUNDING = 1e-6  # percentage points
UNBOUNDED = "the interval is unbounded: the offer hardly moved take-up"
MOVED = "effect of the offer on take-up"
FEW_RECORDS = "not assessable: fewer than three clusters in an arm have a record of take-up"


def find_takeup(setting: Setting) -> tuple[Finding, ...]:
    """Estimate how far the offer raised take-up, and the effect per taker-up.

    The complier average causal effect is the effect on the outcome over the
    effect on any receipt. Its interval inverts the CR2 t test of ``y - b d``
    (Anderson & Rubin 1949), and so stays honest where take-up hardly differs: it
    may then be unbounded, or two rays, and says so, and no estimate is told, since
    neither its sign nor its size is settled. Where all took up what they were
    offered and nobody else did, the effect per taker-up is the average, and is
    not told twice. Where take-up is recorded for too few clusters of an arm, one row says so.
    """
    scores = setting.scores
    assert scores.d is not None
    keep = ~np.isnan(scores.d)
    if not setting.is_assessable(keep):
        return (
            setting.finding(
                question="takeup", quantity=MOVED, unit="percentage points", status="descriptive",
                notes=(FEW_RECORDS,), **setting.counts(keep),
            ),
        )  # fmt: skip
    on_outcome = setting.average if keep.all() else fit_effects(scores, keep=keep)
    on_receipt = fit_effects(replace(scores, y=np.where(keep, scores.d, 0.0)), keep=keep)
    first, last = on_receipt.effects([1.0]), on_outcome.effects([1.0])
    receipt = setting.finding(
        question="takeup", quantity=MOVED, unit="percentage points", status="descriptive",
        estimate=100 * float(first.estimate[0]), std_error=100 * float(first.std_error[0]), df=float(first.df[0]),
        conf_low=100 * float(first.interval(setting.confidence)[0][0]),
        conf_high=100 * float(first.interval(setting.confidence)[1][0]), **setting.counts(keep),
    )  # fmt: skip
    if is_full(receipt):
        return (receipt,)
    if np.isnan(receipt.std_error) or np.isnan(last.std_error[0]):
        return _untold(setting, receipt, keep)
    parts = [fit.loadings([1.0]).score[:, 0] for fit in (on_outcome, on_receipt)]
    a, b = float(last.estimate[0]), float(first.estimate[0])
    variance = (float(parts[0] @ parts[0]), float(parts[0] @ parts[1]), float(parts[1] @ parts[1]))
    critical = float(stats.t.ppf(0.5 + setting.confidence / 2, last.df[0])) ** 2
    times = setting.scale.times
    low, high, shape = anderson_rubin(
        effect=times * a, receipt=b, variance=(times**2 * variance[0], times * variance[1], variance[2]),
        critical=critical,
    )  # fmt: skip
    ratio = a / b if b and not shape else NAN  # where values of either sign remain, none is worth telling
    has_p = last.df[0] >= TOO_FEW_DF
    notes = ("interval by inverting the cluster-robust t test (Anderson-Rubin)",
             *((shape,) if shape else ()), *(() if has_p else (FEW_DF,)))  # fmt: skip
    cace = setting.finding(
        question="average", estimand="cace", quantity="average effect among those moved to take up",
        status="exploratory", estimate=times * ratio, df=float(last.df[0]), conf_low=low, conf_high=high,
        effect_size=setting.scale.effect_size(ratio), effect_size_low=setting.scale.effect_size(low / times),
        effect_size_high=setting.scale.effect_size(high / times),
        sd_used=setting.scale.name, p_value=float(last.p_value[0]) if has_p else NAN, notes=notes,
        **setting.counts(keep),
    )  # fmt: skip
    return receipt, cace


def _untold(setting: Setting, receipt: Finding, keep: Mask) -> tuple[Finding, Finding]:
    """Return what is left where take-up, or the outcome, does not vary within an arm: no range, and so no ratio."""
    if np.isnan(receipt.std_error):
        receipt = replace(receipt, notes=(NO_ERROR,))
    cace = setting.finding(
        question="average", estimand="cace", quantity="average effect among those moved to take up",
        status="exploratory", notes=(NO_ERROR,), **setting.counts(keep),
    )  # fmt: skip
    return receipt, cace


def is_full(receipt: Finding) -> bool:
    """Whether everyone in the one arm took the programme up and nobody in the other: nothing is left to vary."""
    return abs(receipt.estimate - 100) < ROUNDING and not receipt.std_error >= ROUNDING


def anderson_rubin(
    *, effect: float, receipt: float, variance: tuple[float, float, float], critical: float
) -> tuple[float, float, str]:
    """Return the b for which ``(effect - b receipt)^2 <= critical Var(effect - b receipt)``.

    `variance` holds Var(effect), Cov(effect, receipt), Var(receipt). Low, high
    and, where the set is not an interval, a sentence on its shape (limits NaN).
    Anderson & Rubin (1949), Annals of Mathematical Statistics 20.
    """
    of_effect, both, of_receipt = variance
    two = receipt**2 - critical * of_receipt
    one = -2 * (effect * receipt - critical * both)
    none = effect**2 - critical * of_effect
    discriminant = one**2 - 4 * two * none
    if two <= 0:
        if discriminant <= 0:
            return NAN, NAN, UNBOUNDED
        roots = sorted((-one + sign * np.sqrt(discriminant)) / (2 * two) for sign in (-1, 1))
        return NAN, NAN, f"all values but those from {roots[0]:.3g} to {roots[1]:.3g} remain possible"
    root = np.sqrt(max(discriminant, 0.0))
    return float((-one - root) / (2 * two)), float((-one + root) / (2 * two)), ""
