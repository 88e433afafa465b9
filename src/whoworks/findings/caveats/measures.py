"""Caveats of what was measured: outcomes, moderators, and who was there to be measured before assignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from whoworks.findings.caveats.arms import treatment_of
from whoworks.findings.caveats.caveat import Caveat
from whoworks.findings.setting import Setting
from whoworks.findings.smallest_cell import read_smallest_cell
from whoworks.findings.unrecorded import count_unrecorded
from whoworks.language import listed
from whoworks.panel.panel import Kind, Panel, Role
from whoworks.plan.outcomes import Outcome

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNSEEN_BEFORE = 0.10  # share of the analysed without any measure from before assignment
ALIKE = 0.5  # correlation from which two moderators can hardly be told apart
MOST_PAIRS = 3
# Internal consistency below which the What Works Clearinghouse takes no outcome [from memory: verify before citing].
UNRELIABLE = 0.50


def find_measure_caveats(panel: Panel, settings: Sequence[Setting]) -> Iterator[Caveat]:
    """Apply every rule on what was measured."""
    for setting in settings:
        if setting.is_main:
            yield from _joiners(panel, setting)
            yield from _unrecorded(panel, setting)
            yield from _correlated_moderators(panel, setting)
    for outcome in panel.plan.outcomes:
        yield from _unreliable(outcome)
        yield from _unlabelled(outcome)
    yield from _declared_before(panel)


def _declared_before(panel: Panel) -> Iterator[Caveat]:
    timed = {variable.name for variable in panel.variables if variable.wave}
    if any(variable.name not in timed for variable in panel.having(Role.MODERATOR)):
        yield Caveat(
            caveat_id="declared_before", subject="", gravity=3,
            sentence="That the moderators were measured before assignment is the plan's declaration; "
            "the records carry no date that could confirm it.",
        )  # fmt: skip


def _joiners(panel: Panel, setting: Setting) -> Iterator[Caveat]:
    unseen = unseen_before(panel, setting)
    if unseen is None:
        return
    either = setting.either
    if unseen[either].mean() <= UNSEEN_BEFORE:
        return
    shares = [float(unseen[arm].mean()) for arm in (setting.treated, setting.control)]
    labels = setting.design.arm_labels
    told = (
        f" ({100 * shares[0]:.0f} in 100 under {labels[1]}, {100 * shares[1]:.0f} under {labels[0]})"
        if read_smallest_cell(panel.plan).may_share(setting, either, unseen)
        else ""
    )
    yield Caveat(
        caveat_id="joiners", subject=setting.scores.outcome, gravity=2,
        sentence=f"Some students have {setting.outcome.label} but no measure from before assignment{told}: they may "
        "have joined after arms were known, and such arrivals can differ between arms.",
    )  # fmt: skip


def _unrecorded(panel: Panel, setting: Setting) -> Iterator[Caveat]:
    treatment, control = treatment_of(setting), setting.design.arm_labels[0]
    for moderator in panel.plan.moderators:
        lost = count_unrecorded(panel, setting, moderator.name)
        if not lost.matters:
            continue
        shares = [100 * share for share in lost.shares]
        by_arm = f": {shares[1]:.1f} % under {treatment}, {shares[0]:.1f} % under {control}" if lost.tellable else ""
        yield Caveat(
            caveat_id="unrecorded", subject=moderator.name, gravity=2 if moderator.planned else 3,
            sentence=f"{lost.counted if lost.tellable else 'Some students'} have no record of "
            f"{moderator.label or moderator.name} and are left out of the questions about it{by_arm}. Those with a "
            "record need not be like them.",
        )  # fmt: skip


def unseen_before(panel: Panel, setting: Setting) -> Mask | None:
    """Return which analysed units have no measure of their own from before assignment, (n,).

    Measures of waves before assignment, and pre-tests; None where the plan has
    neither, so that nothing can tell a newcomer. Characteristics that a later
    list would hold as well, such as sex, are no sign of having been there.
    """
    before = panel.plan.waves.before if panel.plan.waves else ()
    measures = [
        v.name for v in panel.variables
        if v.level in ("", "student") and (Role.BASELINE in v.roles or (v.wave and v.wave in before))
    ]  # fmt: skip
    if not measures:
        return None
    return np.asarray(panel.values[measures].isna().all(axis=1).to_numpy()[setting.scores.rows])


def _correlated_moderators(panel: Panel, setting: Setting) -> Iterator[Caveat]:
    values = panel.values.iloc[setting.scores.rows]
    columns = {}
    for variable in panel.having(Role.MODERATOR):
        column = values[variable.name]
        if variable.kind is Kind.CATEGORY:
            codes = column.cat.codes.to_numpy()
            known, own = codes >= 0, np.column_stack([codes == k for k in range(1, max(len(variable.levels), 2))])
        else:
            numbers = column.to_numpy(dtype=np.float64)
            known, own = ~np.isnan(numbers), np.nan_to_num(numbers)[:, None]
        columns[variable.label or variable.name] = known, own.astype(np.float64)
    pairs = []
    for (one, (known, x)), (other, (seen, y)) in combinations(columns.items(), 2):
        strength = canonical_correlation(x[known & seen], y[known & seen])
        if strength >= ALIKE:
            pairs.append((strength, f"{one} and {other} ({strength:.2f})"))
    if pairs:
        named = [words for _, words in sorted(pairs, reverse=True)]
        more = len(named) - MOST_PAIRS
        shown = [*named[:MOST_PAIRS], f"{more} more {'pair' if more == 1 else 'pairs'}"] if more > 0 else named
        yield Caveat(
            caveat_id="correlated_moderators", subject="", gravity=2,
            sentence=f"Some moderators go together among the students analysed: {listed(shown)}, 1 being one and the "
            "same. A difference along one may be one along the other.",
        )  # fmt: skip


def canonical_correlation(x: Vector, y: Vector) -> float:
    """Return the largest correlation of any sum of the columns of x with any of those of y; 0 where either is constant.

    Between two numbers, the size of Pearson's correlation; between two yes-or-no
    groups, that of phi. Hotelling (1936), Biometrika 28.
    """
    x, y = _standardise(x), _standardise(y)
    left, right = _whiten(x.T @ x), _whiten(y.T @ y)
    return float(min(np.linalg.svd(left @ (x.T @ y) @ right.T, compute_uv=False).max(initial=0.0), 1.0))


def _standardise(columns: Vector) -> Vector:
    """Return the columns that vary, each with mean 0 and SD 1."""
    varying = columns[:, np.ptp(columns, axis=0) > 0] if len(columns) else columns[:, :0]
    return np.asarray((varying - varying.mean(axis=0)) / varying.std(axis=0) if varying.size else varying)


def _whiten(gram: Vector) -> Vector:
    """Return the (rank, p) matrix that turns columns of this cross-product into orthonormal ones."""
    value, vector = np.linalg.eigh(gram)
    kept = value > 1e-10 * value.max(initial=0.0)
    return np.asarray((vector[:, kept] / np.sqrt(value[kept])).T, dtype=np.float64)


def _unreliable(outcome: Outcome) -> Iterator[Caveat]:
    if outcome.reliability is not None and outcome.reliability < UNRELIABLE:
        yield Caveat(
            caveat_id="unreliable_outcome", subject=outcome.name, gravity=1 if outcome.primary else 2,
            sentence=f"By the plan's own figure, {outcome.label} is measured with a reliability of "
            f"{outcome.reliability:.2f}, under the {UNRELIABLE:.2f} that counts as enough: much of it is chance, and "
            "effects in SD look smaller than they are.",
        )  # fmt: skip


def _unlabelled(outcome: Outcome) -> Iterator[Caveat]:
    if outcome.label == outcome.column:
        yield Caveat(
            caveat_id="unlabelled_outcome", subject=outcome.name, gravity=3,
            sentence=f"The plan calls the outcome {outcome.column} by its column alone: what it measures, and on which "
            "scale, is not said.",
        )  # fmt: skip
