"""Balance: how alike the arms were before anything was offered, in standard deviations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import counted, in_words, written_size
from whoworks.design.design import Design, Vector
from whoworks.panel.panel import BlindPanel, Kind, Role, Variable

Mask = NDArray[np.bool_]

# Bands of baseline equivalence (WWC handbook, group designs): up to 0.05 satisfied, up to 0.25 with adjustment.
SATISFIED = 0.05
WITH_ADJUSTMENT = 0.25
BANDS = ("within 0.05", "0.05 to 0.25", "above 0.25", "too few to judge")
# A category is judged where every arm has this many students in it and out of it.
MIN_IN_LEVEL = 10
COX = 1.65  # divides a difference of log odds to put it on the scale of a standardised difference
CHARACTERISTICS = "characteristics"


def standardised_mean_difference(*, x: Vector, z: Mask, weight: Vector) -> float:
    """Return the weighted difference in means over the pooled student-level SD, times 1 - 3/(4N - 9).

    Hedges's g with the total SD of students, whatever was assigned (Hedges 1981;
    WWC handbook 4.1, appendix E). Weights are inverse probabilities, so that
    under the design the difference is zero on average even where the
    probability differs between blocks. x has no missing values.
    """
    n1, n0 = int(z.sum()), int((~z).sum())
    if min(n0, n1) < 2:
        return math.nan
    pooled = ((n1 - 1) * x[z].var(ddof=1) + (n0 - 1) * x[~z].var(ddof=1)) / (n0 + n1 - 2)
    gap = float(np.average(x[z], weights=weight[z]) - np.average(x[~z], weights=weight[~z]))
    if pooled <= 0:
        return 0.0 if gap == 0 else math.copysign(math.inf, gap)
    return small_sample(n0 + n1) * gap / math.sqrt(pooled)


def cox_index(*, x: Vector, z: Mask, weight: Vector) -> float:
    """Return the difference in log odds over 1.65, times 1 - 3/(4N - 9); NaN with under 10 in or out of the level.

    The WWC's effect size for a dichotomy (Cox 1970; handbook 4.1, appendix E).
    """
    inside = [int(x[arm].sum()) for arm in (z, ~z)]
    if min(*inside, int(z.sum()) - inside[0], int((~z).sum()) - inside[1]) < MIN_IN_LEVEL:
        return math.nan
    odds = [np.average(x[arm], weights=weight[arm]) for arm in (z, ~z)]
    logits = [math.log(p / (1 - p)) for p in odds]
    return small_sample(len(x)) * (logits[0] - logits[1]) / COX


def small_sample(n: int) -> float:
    """Return Hedges's factor 1 - 3/(4N - 9)."""
    return 1 - 3 / (4 * n - 9)


def band(standardised: float) -> str:
    """Return the band of a standardised difference, of either sign."""
    if math.isnan(standardised):
        return BANDS[3]
    size = abs(standardised)
    return BANDS[0] if size <= SATISFIED else BANDS[1] if size <= WITH_ADJUSTMENT else BANDS[2]


def compare_arms(values: pd.DataFrame, variables: Iterable[Variable], design: Design, keep: Mask) -> pd.DataFrame:
    """Return one row per variable, level and treatment: means by arm and the standardised difference.

    `values` are the design's units; `keep` marks those to be compared. A
    number has one row and an empty level, a category one row per level that
    can be judged and one without numbers for each that cannot.
    """
    own = design.probability[np.arange(len(design.arm)), design.arm]
    rows = []
    for variable in variables:
        column = values[variable.name]
        for code in range(1, len(design.arms)):
            two = keep & ((design.arm == 0) | (design.arm == code))
            seen = two & column.notna().to_numpy()
            z, weight = design.arm[seen] == code, 1 / own[seen]
            head: dict[str, object] = {
                "variable": variable.name,
                "label": variable.label,
                "level_of": variable.level,
                "arm": design.arms[code],
            }
            head |= {"n_control": int((~z).sum()), "n_treated": int(z.sum()), "n_missing": int((two & ~seen).sum())}
            for level, label, x in split_values(column[seen], variable):
                rows.append(head | {"level": level, "level_label": label} | compare_values(x, z, weight, level != ""))
    return pd.DataFrame(rows)


def split_values(column: pd.Series, variable: Variable) -> Iterable[tuple[str, str, Vector]]:
    """Yield a number as itself, and each level of a category as 0 and 1, with code and words."""
    if variable.kind == Kind.CATEGORY:
        codes, labels = column.cat.codes.to_numpy(), variable.level_labels or variable.levels
        for place, (level, label) in enumerate(zip(variable.levels, labels, strict=True)):
            yield level, label, (codes == place).astype(float)
    elif variable.kind == Kind.BINARY:
        yield "1", "1", column.to_numpy(dtype=float)
    else:
        yield "", "", column.to_numpy(dtype=float)


def compare_values(x: Vector, z: Mask, weight: Vector, is_level: bool) -> dict[str, object]:
    """Return means by arm, counts in the level, and the standardised difference of one row."""
    some = bool(z.any() and (~z).any())
    measure = cox_index if is_level else standardised_mean_difference
    standardised = measure(x=x, z=z, weight=weight) if some else math.nan
    told = some and not (is_level and math.isnan(standardised))
    return {
        "n_level_control": float(x[~z].sum() if is_level else (~z).sum()) if told else math.nan,
        "n_level_treated": float(x[z].sum() if is_level else z.sum()) if told else math.nan,
        "mean_control": float(np.average(x[~z], weights=weight[~z])) if told else math.nan,
        "mean_treated": float(np.average(x[z], weights=weight[z])) if told else math.nan,
        "sd": float(x.std(ddof=1)) if told and len(x) > 1 else math.nan,
        "standardised": standardised,
        "band": band(standardised),
    }


def check_balance(blind: BlindPanel, design: Design, labels: Mapping[str, str]) -> tuple[Check, ...]:
    """Check pre-tests among the analysed of each outcome, and everything else among all who were assigned.

    Equivalence at baseline is a matter of the pre-test and of those who are
    analysed. Other characteristics warn and never fail: among many of them, with
    few clusters, chance alone makes large differences; the joint test judges them.
    """
    values = blind.values.iloc[design.rows]
    pretests = [variable for variable in blind.variables if Role.BASELINE in variable.roles]
    others = [v for v in blind.variables if v not in pretests and {Role.MODERATOR, Role.COVARIATE} & set(v.roles)]
    checks = []
    for outcome in blind.observed.columns:
        keep = blind.observed[outcome].to_numpy(dtype=bool)[design.rows]
        table = compare_arms(values, pretests, design, keep)
        checks.append(judge_pretests(table, design, keep, outcome, labels.get(outcome, outcome)))
    table = compare_arms(values, others, design, np.ones(len(values), dtype=np.bool_))
    return (*checks, judge_characteristics(table, design, len(others)))


def find_widest(table: pd.DataFrame) -> int:
    """Return the row of the largest standardised difference, -1 where none can be judged."""
    size = table["standardised"].abs() if len(table) else pd.Series(dtype=float)
    return int(np.nanargmax(size.to_numpy())) if size.notna().any() else -1


def name_row(table: pd.DataFrame, row: int) -> str:
    """Name a row of the comparison: its label and its level."""
    seen = table.iloc[row]
    return f"{seen['label']} ({seen['level_label']})" if seen["level"] else str(seen["label"])


def tell_gap(table: pd.DataFrame, row: int, design: Design) -> tuple[str, str]:
    """Write a standardised difference as size and side: ``0.10 SD``, ``higher under small class``."""
    seen = table.iloc[row]
    gap = float(seen["standardised"])
    sides = ("less common", "more common") if seen["level"] else ("lower", "higher")
    arm = design.arm_labels[design.arms.index(seen["arm"])]
    size = f"{written_size(abs(gap), (SATISFIED, WITH_ADJUSTMENT))} SD" if abs(gap) >= 0.005 else "under 0.01 SD"
    than = f" than under {design.arm_labels[0]}" if len(design.arms) > 2 else ""
    return size, f"{sides[gap >= 0]} under {arm}{than}"


def judge_pretests(table: pd.DataFrame, design: Design, keep: Mask, outcome: str, label: str) -> Check:
    """Hold the largest difference in a pre-test, among those analysed, against the bands."""
    widest = find_widest(table)
    value = math.nan if widest < 0 else abs(float(table["standardised"].iloc[widest]))
    if widest < 0:
        verdict = Verdict.NOT_ASSESSABLE
        said = "no pre-test is in the plan, so equivalence at baseline cannot be judged on one"
        if len(table):
            said = "too few students have a pre-test and an outcome to compare the arms at baseline"
    else:
        verdict = (Verdict.PASS, Verdict.WARN, Verdict.FAIL)[BANDS.index(band(value))]
        size, side = tell_gap(table, widest, design)
        said = f"the arms differed by {size} in {name_row(table, widest)} at baseline ({side}), {explain_band(value)}"
    return Check(
        check_id="balance",
        subject=outcome,
        verdict=verdict,
        value=value,
        threshold=WITH_ADJUSTMENT,
        n_units=int(keep.sum()),
        n_clusters=len(np.unique(design.cluster[keep])),
        sentence=f"Among {counted(int(keep.sum()), 'student')} with a record of {label}, {said}.",
        table=table,
    )


def explain_band(value: float) -> str:
    """Say what the WWC's bands make of a difference."""
    if value <= SATISFIED:
        return f"within the {SATISFIED:.2f} SD that count as equivalent"
    if value <= WITH_ADJUSTMENT:
        return f"which counts as equivalent only with adjustment ({SATISFIED:.2f} to {WITH_ADJUSTMENT:.2f} SD)"
    return f"more than the {WITH_ADJUSTMENT:.2f} SD that adjustment can be trusted with"


def judge_characteristics(table: pd.DataFrame, design: Design, n_variables: int) -> Check:
    """Count the differences in other characteristics by band; the largest speaks."""
    widest = find_widest(table)
    value = math.nan if widest < 0 else abs(float(table["standardised"].iloc[widest]))
    verdict = Verdict.NOT_ASSESSABLE
    sentence = "No characteristic measured before assignment can be compared between arms."
    if not n_variables:
        sentence = "Pre-tests aside, the plan names nothing measured before assignment to compare between arms."
    if widest >= 0:
        verdict = Verdict.WARN if value > WITH_ADJUSTMENT else Verdict.PASS
        sentence = explain_characteristics(table, widest, design, n_variables)
    return Check(
        check_id="balance",
        subject=CHARACTERISTICS,
        verdict=verdict,
        value=value,
        threshold=WITH_ADJUSTMENT,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=sentence,
        table=table,
    )


def explain_characteristics(table: pd.DataFrame, widest: int, design: Design, n_variables: int) -> str:
    """Say how many differences lie in each band, which is the largest, and what was too rare to compare."""
    n_judged = int(table["standardised"].notna().sum())
    middle, above = (int((table["band"] == name).sum()) for name in (BANDS[1], BANDS[2]))
    size, side = tell_gap(table, widest, design)
    said = (
        f"Among {in_words(n_judged, 'comparison')} of {in_words(n_variables, 'characteristic')} between arms, "
        f"{in_words(middle)} {'lies' if middle == 1 else 'lie'} between {SATISFIED:.2f} and {WITH_ADJUSTMENT:.2f} SD "
        f"and {in_words(above)} above; the largest is {size} in {name_row(table, widest)}, {side}."
    )
    n_rare = len(table) - n_judged
    if not n_rare:
        return said
    left_out = in_words(n_rare, "comparison")
    return f"{said} Left out: {left_out} with fewer than {MIN_IN_LEVEL} students of an arm in the level or out of it."
