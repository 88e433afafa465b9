"""The average effect of the offer, whom each weighting speaks for, and how precise it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whoworks.checks.wording import exact_p
from whoworks.findings.finding import NAN, Finding
from whoworks.findings.precision import Precision
from whoworks.findings.redrawing.randomization import RandomizationTest, randomization_test
from whoworks.findings.redrawing.studentised import StudentisedEffect
from whoworks.findings.regression import (
    Weighting,
    divides_prognosis,
    fit_effects,
    has_uneven_blocks,
    weighting_difference,
)
from whoworks.findings.setting import Setting

REDRAWN = "randomisation p "


def find_average(setting: Setting, *, rng: np.random.Generator) -> tuple[Finding, ...]:
    """Estimate the average effect under both weightings, and their difference.

    The student-weighted average is confirmatory for a primary outcome; it is
    one question per outcome and is not adjusted for the others.
    """
    weightings: tuple[Weighting, ...] = ("student", "cluster")
    found = [_average(setting, weighting) for weighting in weightings]
    if setting.has_few_clusters:
        statistic = StudentisedEffect.of_average(setting.scores)
        test = randomization_test(setting.scores, setting.design, statistic=statistic, effect=0.0, rng=rng)
        found[0] = replace(found[0], p_randomization=test.p_value, notes=(*found[0].notes, describe_test(test)))
    if len(np.unique(setting.scores.cluster)) == len(setting.scores.cluster):
        return (found[0],)
    return (*found, _weighting_difference(setting))


def describe_test(test: RandomizationTest) -> str:
    """Say how a randomisation p was made: a note that begins with `REDRAWN`."""
    how = f"all {test.n_draws:,} assignments" if test.is_exact else f"{test.n_draws:,} re-drawn assignments"
    return f"{REDRAWN}over {how}; the smallest this design can give is {exact_p(test.smallest)}"


def _average(setting: Setting, weighting: Weighting) -> Finding:
    fit = setting.average if weighting == "student" else fit_effects(setting.scores, weighting=weighting)
    estimates = fit.effects([1.0])
    is_claim = setting.is_main and weighting == "student"
    return setting.finding(
        question="average", quantity="average effect", weighting=weighting,
        status="confirmatory" if is_claim else "exploratory",
        **setting.inference(estimates), **setting.counts(setting.everyone),
    )  # fmt: skip


def _weighting_difference(setting: Setting) -> Finding:
    fields = setting.inference(weighting_difference(setting.scores), is_difference=True)
    return setting.finding(
        question="difference", quantity="average weighting students equally minus weighting clusters equally",
        moderator="weighting", level="student - cluster", reference="cluster", weighting="both",
        status="descriptive", **fields, **setting.counts(setting.everyone),
    )  # fmt: skip


def measure_precision(setting: Setting) -> Precision:
    """Return the average's standard error as reported, without the prognosis, and by whole blocks if there are two."""
    scores, design = setting.scores, setting.design
    by_block = NAN
    if design.sensitivity is not None:
        blocks = design.sensitivity[design.places(scores.rows)]
        if len(np.unique(blocks)) > 1:
            by_block = float(fit_effects(scores, cluster=blocks).effects([1.0]).std_error[0])
    times = setting.scale.times
    return Precision(
        outcome=scores.outcome, contrast=scores.contrast, learner=scores.prognosis_name, rule=_rule(setting),
        share_explained=scores.share_explained,
        std_error=times * float(setting.average.effects([1.0]).std_error[0]),
        std_error_unadjusted=times * float(fit_effects(scores, adjusted=False).effects([1.0]).std_error[0]),
        std_error_by_block=times * by_block,
        cluster_level=design.cluster_level, block_level=design.sensitivity_level,
    )  # fmt: skip


def _rule(setting: Setting) -> str:
    rule = _rule_of_prognosis(setting)
    if setting.scores.has_folds and has_uneven_blocks(setting.scores):
        within = f"within each {setting.design.block_level}" if setting.design.block_level else "between students"
        rule += f" The probability of the programme, which differs {within}, enters beside it."
    return rule


def _rule_of_prognosis(setting: Setting) -> str:
    if setting.scores.h is not None:
        is_divided = divides_prognosis(setting.scores, setting.everyone)
        split = "as its cluster mean and the deviation from it" if is_divided else "with one slope"
        return (
            "The prognosis, what earlier information foretells of the outcome, was learned from other clusters than "
            f"each student's own, without looking at arms, and enters {split}."
        )
    if not setting.scores.has_folds:
        return f"No prognosis: {setting.why_no_folds}."
    return "No prognosis: no covariate predicts the outcome in clusters left out of the learning."
