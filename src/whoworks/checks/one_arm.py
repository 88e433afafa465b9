"""Traits of one arm: what students of one arm have and none, or almost none, of another, as no draw would leave it.

Such a trait is likely to have come with the arm. A prognosis that saw no arm
would learn the arm from it and take the effect away, so it is left out there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import in_words, written_p
from whoworks.design.design import Design
from whoworks.design.redraw import list_assigned
from whoworks.design.separation import chance_of_separation, smallest_chance
from whoworks.language import listed
from whoworks.panel.panel import BlindPanel, Kind, Role, Variable

Mask = NDArray[np.bool_]

MIN_STUDENTS = 10  # of one arm with the trait, below which nothing is made of it
ALMOST_NONE = 0.05  # share with the trait in the other arm, of the share in the first, up to which it is one arm's
FAIL_P = 0.0025  # chance, over all traits of a trial, that any is told to have come with an arm
WARN_P = 0.05  # the same, of a warning
MEASURED_BEFORE = {Role.BASELINE, Role.MODERATOR, Role.COVARIATE}
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One level of one variable, for control and one treatment.

    arm : the treatment's place among the design's arms; `found_in` that of the arm that has the trait
    is_one_arms : whether the one arm has it and the other not, or hardly
    p_value, smallest : by re-drawing the assignment, exact; and the smallest that any draw could have given
    holders : which assigned units hold the trait, or which do not, whichever has the first: the two are one question
    """

    variable: Variable
    level: str
    arm: int
    found_in: int
    is_one_arms: bool
    p_value: float
    smallest: float
    holders: bytes


def check_one_arm(blind: BlindPanel, design: Design) -> tuple[Check, ...]:
    """Check that nothing measured before assignment is found in one arm only, beyond what drawing the arms would do."""
    variables = measured_before(blind.variables)
    if design.kind == "matched" or not variables:
        why = "the arms were matched, and nothing was drawn" if variables else "nothing measured before is in the plan"
        said = f"Whether a trait came with an arm cannot be told: {why}."
        return (_compose("", Verdict.NOT_ASSESSABLE, said, design),)
    traits = list(find_traits(blind.values, variables, design))
    failed, warned = beyond_chance(traits, FAIL_P), beyond_chance(traits, WARN_P)
    checks = []
    for variable in variables:
        grave, doubtful = ([t for t in found if t.variable.name == variable.name] for found in (failed, warned))
        if grave or doubtful:
            verdict = Verdict.FAIL if grave else Verdict.WARN
            told = grave or doubtful
            checks.append(_compose(variable.name, verdict, _explain(told, verdict, design), design, told))
    said = "The one characteristic measured before assignment is not found in one arm only."
    if len(variables) > 1:
        among = in_words(len(variables), "characteristic")
        said = f"Among {among} measured before assignment, none is found in one arm only."
    return tuple(checks) or (_compose("", Verdict.PASS, said, design),)


def came_with_an_arm(values: pd.DataFrame, variables: Iterable[Variable], design: Design) -> frozenset[str]:
    """Return the names of the variables of which a trait is one arm's beyond chance; no outcome is looked at.

    In a trial whose variables were all measured before assignment it names any
    with a chance of at most `FAIL_P`. A matched study is not judged.
    """
    if design.kind == "matched":
        return frozenset()
    judged = measured_before(variables)
    splits = split_all(values, judged, design)
    if not any(_is_one_arms(has[used], design.arm[used] == arm) for _, _, has, arm, used in splits):
        return frozenset()  # as nearly always: what draws would leave need not be asked
    traits = list(find_traits(values, judged, design))
    return frozenset(trait.variable.name for trait in beyond_chance(traits, FAIL_P))


def measured_before(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Return pre-tests, moderators and covariates."""
    return tuple(variable for variable in variables if MEASURED_BEFORE & set(variable.roles))


def beyond_chance(traits: Sequence[Trait], alpha: float) -> list[Trait]:
    """Return the traits of one arm whose p is at most alpha over the number that could have reached it.

    Traits that no draw could leave to one arm cost nothing (Tarone 1990,
    Biometrics 46), nor does having a trait beside lacking it: k is the smallest
    number for which at most k questions can have a p of alpha / k, and a sound
    trial gives a false alarm no more often than alpha.
    """
    reach = np.array(list({(trait.arm, trait.holders): trait.smallest for trait in traits}.values()))
    k = next((k for k in range(1, len(traits) + 1) if (reach <= alpha / k).sum() <= k), 1)
    return [trait for trait in traits if trait.is_one_arms and trait.p_value <= alpha / k]


def find_traits(values: pd.DataFrame, variables: Iterable[Variable], design: Design) -> Iterator[Trait]:
    """Judge every level of every variable for each treatment and control; `values` are all of the panel's units."""
    for variable, level, has, arm, used in split_all(values, variables, design):
        yield judge_trait(variable, level, has[used], design, arm, used)


def split_all(
    values: pd.DataFrame, variables: Iterable[Variable], design: Design
) -> Iterator[tuple[Variable, str, Mask, int, Mask]]:
    """Yield each variable's traits that some of two arms have, and some not: who has it, the treatment, whom to use."""
    kept = values.iloc[design.rows]
    pairs = [(arm, np.isin(design.arm, (0, arm))) for arm in range(1, len(design.arms))]
    for variable in variables:
        for level, known, has in split_traits(kept[variable.name], variable):
            for arm, two in pairs:
                used = two & known
                if has[used].any() and not has[used].all():
                    yield variable, level, has, arm, used


def split_traits(column: pd.Series, variable: Variable) -> Iterator[tuple[str, Mask, Mask]]:
    """Yield each trait in words, who is known to have it or not, and who has it.

    Every level of a category, what lies above and below a number's median, and
    having no record.
    """
    known = column.notna().to_numpy()
    if variable.kind == Kind.CATEGORY:
        codes = column.cat.codes.to_numpy()
        for place, label in enumerate(variable.level_labels or variable.levels):
            yield label, known, codes == place
    elif known.any():
        numbers = column.to_numpy(dtype=np.float64)
        middle = np.median(numbers[known])
        if variable.kind == Kind.BINARY:
            yield from ((label, known, numbers == value) for label, value in (("0", 0), ("1", 1)))
        else:
            yield "above the median", known, np.greater(numbers, middle, where=known, out=np.zeros_like(known))
            yield "below the median", known, np.less(numbers, middle, where=known, out=np.zeros_like(known))
    yield NOT_RECORDED, np.ones_like(known), ~known


def judge_trait(variable: Variable, level: str, has: Mask, design: Design, arm: int, used: Mask) -> Trait:
    """Hold a trait against the draws of what was assigned, for the units `used` of two arms.

    An assigned unit holds the trait when at least half as many of its students
    have it as of all students, so that a stray student makes no holder.
    """
    treated, one_arms = design.arm[used] == arm, _is_one_arms(has, design.arm[used] == arm)
    rare = _share(has, treated) < _share(has, ~treated)
    units = list_assigned(arm=design.arm[used], assigned=design.assigned[used], block=design.exchangeable[used])
    own = np.bincount(units.unit, has) / np.bincount(units.unit)
    holds, in_second = own >= max(has.mean() / 2, 1e-12), units.arm == arm
    p = chance_of_separation(holds=holds, arm=in_second, block=units.block, rare=rare) if one_arms else math.nan
    return Trait(
        variable=variable, level=level, arm=arm, found_in=0 if rare else arm, is_one_arms=one_arms, p_value=p,
        smallest=smallest_chance(holds=holds, arm=in_second, block=units.block),
        holders=(holds if holds[0] else ~holds).tobytes(),
    )  # fmt: skip


def _is_one_arms(has: Mask, treated: Mask) -> bool:
    """Tell whether ten students of the one arm have a trait, and none, or almost none, of the other."""
    shares = (_share(has, ~treated), _share(has, treated))
    n_there = int(has[treated == (shares[1] >= shares[0])].sum())
    return n_there >= MIN_STUDENTS and min(shares) <= ALMOST_NONE * max(shares)


def _share(has: Mask, members: Mask) -> float:
    return float(has[members].mean()) if members.any() else 0.0


def _compose(subject: str, verdict: Verdict, sentence: str, design: Design, traits: Sequence[Trait] = ()) -> Check:
    return Check(
        check_id="one_arm",
        subject=subject,
        verdict=verdict,
        value=min((trait.p_value for trait in traits), default=math.nan),
        threshold=FAIL_P,
        n_units=len(design.rows),
        n_clusters=len(np.unique(design.cluster)),
        sentence=sentence,
        table=pd.DataFrame([_tabulate(trait, design) for trait in traits]),
    )


def _explain(traits: Sequence[Trait], verdict: Verdict, design: Design) -> str:
    """Name the variable, its levels and their arms, and ask what would explain them."""
    variable = traits[0].variable
    found = listed([f"\u201c{trait.level}\u201d under {design.arm_labels[trait.found_in]}" for trait in traits])
    p = written_p(min(trait.p_value for trait in traits))
    said = f"{variable.label or variable.name} ({found}) is found in one arm only, or nearly so"
    if verdict is Verdict.WARN:
        return f"{said}, which drawing the arms seldom leaves ({p}): was it measured before assignment?"
    return (
        f"{said}, which drawing the arms hardly ever leaves ({p}): was it measured before assignment? It is left out "
        "of what foretells outcomes, and nothing should be read from differences along it."
    )


def _tabulate(trait: Trait, design: Design) -> dict[str, object]:
    """Return a trait's numbers as a row."""
    return {
        "variable": trait.variable.name,
        "level": trait.level,
        "arm": design.arms[trait.arm],
        "control": design.arms[0],
        "found_in": design.arms[trait.found_in],
        "p_value": trait.p_value,
    }
