"""How it was done: the plan in sentences, then the estimator, the errors and the engine, by name."""

from __future__ import annotations

import math

from whoworks.findings.grades.credibility import OTHER_FOLDS
from whoworks.findings.multiplicity.families import AVERAGES, EXPLORATORY, PROFILES
from whoworks.language import listed, plural
from whoworks.plan.describe import describe_plan
from whoworks.report.disclosure import Released
from whoworks.report.document import Block, Bullets, Heading, Section
from whoworks.report.labels import STUDENT, Words, capital
from whoworks.report.numbers import count, fixed, percent

UNPLANNED = {  # families of tests that were not planned, and what their tests are
    EXPLORATORY: "exploratory comparisons",
    AVERAGES: "averages that were not planned",
    PROFILES: "comparisons of who is in the groups sorted by prediction",
}


def compose_method(released: Released, words: Words) -> Section:
    """Return the method section."""
    plan = released.evidence.plan
    blocks: list[Block] = [
        Heading(text="What the plan said, before outcomes were seen"),
        Bullets(items=tuple(("", capital(sentence)) for sentence in describe_plan(plan))),
        Heading(text="How the numbers were made"),
        Bullets(items=tell_estimation(released, words)),
    ]
    return Section(title="How it was done", blocks=tuple(blocks))


def tell_estimation(released: Released, words: Words) -> tuple[tuple[str, str], ...]:
    """Say how effects, errors, groups and predictions were made, one item each."""
    evidence = released.evidence
    design, level = evidence.design, percent(evidence.plan.analysis.confidence, 1)
    items = [
        ("What counts as one:", capital(design.cluster_reason)),
        ("Estimates:", estimation(released, words)),
        ("Prognosis:", prognosis(released)),
        ("Chance in the analysis:", tell_chance(released, words) if find_learners(released) else ""),
        (
            "Ranges:",
            f"{level} intervals with CR2 standard errors and Satterthwaite degrees of freedom (Bell & McCaffrey 2002; "
            f"Pustejovsky & Tipton 2018), counting {tell_counted(released, words)}; each is for its question alone, "
            "and the adjusted p counts all. Several differences at once are tested with HTZ.",
        ),
        ("Many questions:", many(released)),
        ("Effect sizes:", "Estimates over the standard deviation of all students in both arms, with the small-sample "
         "factor; yes-or-no outcomes use the Cox index. Percentile points: 100 \u00d7 \u03a6(effect size) \u2212 50."),
        ("Credibility:", "Derived from the adjusted p of the difference, the direction that the plan gave beforehand, "
         "and caps for what weakens a claim; each cap that applied is listed with its claim."),
        ("Predictions:", predictions(released, words)),
        ("Small cells:", f"Cells of {released.rule.sentence} are withheld in every file."),
    ]  # fmt: skip
    return tuple((head, text) for head, text in items if text)


def tell_counted(released: Released, words: Words) -> str:
    """Name what inference counts, and what else it counts in questions about a trait of larger groups."""
    said = plural(words.cluster())
    others = dict.fromkeys(plural(f.cluster) for f in released.evidence.findings if f.cluster)
    return said + "".join(f", and {many} in questions about a trait of {many}" for many in others if many != said)


def find_learners(released: Released) -> list[str]:
    """Return the names of what foresaw the outcomes; empty where no prognosis was used."""
    return sorted({p.learner for p in released.evidence.precision} - {"none", ""})


def estimation(released: Released, words: Words) -> str:
    """Say how effects are estimated, and what was absorbed as blocks."""
    if words.matched:
        return (
            "Weighted least squares of the outcome on the arm; the chance of each arm was estimated from what was "
            "measured before, so the comparison describes and does not show what the programme did."
        )
    block = released.evidence.design.block_level
    blocks = f", {plural(block)} absorbed as blocks," if block else ","
    regressors = "the arm as assigned and the prognosis" if find_learners(released) else "the arm as assigned"
    return (
        f"Weighted least squares of the outcome on {regressors}{blocks} each student "
        "weighted by one over the known chance of the arm assigned. That chance comes from the design and is never "
        "learned from data."
    )


def prognosis(released: Released) -> str:
    """Say what predicted the outcome for precision."""
    learners = find_learners(released)
    if not learners:
        within = " within blocks" if released.evidence.design.block_level else ""
        return f"None was used; estimates are plain differences{within}."
    return (
        f"The outcome was foreseen from what was measured before assignment by {' and '.join(learners)}, "
        "learned on other folds of whole clusters and blind to the arm; it narrows the ranges."
    )


def tell_chance(released: Released, words: Words) -> str:
    """Say how far the average and the differences move when the prognosis is learned on other folds."""
    told = [f for f in released.evidence.findings if f.steadiness is not None and f.steadiness.over == "folds"]
    tested = [f for f in told if f.question != "average"]
    average = max((f.steadiness.shift for f in told if f.steadiness and f.question == "average"), default=math.nan)
    others = [f.steadiness.shift for f in tested if f.steadiness and math.isfinite(f.steadiness.shift)]
    if not told or math.isnan(average):
        return ""
    first = told[0].steadiness
    assert first is not None
    said = (
        f"Which {plural(words.cluster())} fall into which fold is chance. With the prognosis learned on {first.n} "
        f"other divisions, the average on the main outcome moved by at most {fixed(average, 2)} of its standard error"
    )
    said += f", differences between groups by at most {fixed(max(others), 2)} of theirs." if others else "."
    fallen = sum(any(OTHER_FOLDS in cap for cap in f.caps) for f in tested)
    lowered = "No grade would have been lower." if not fallen else (
        f"{count(fallen)} grade{' was' if fallen == 1 else 's were'} lowered because another division would have."
    )  # fmt: skip
    return f"{said} {lowered}" if any(f.credibility for f in tested) else said


def many(released: Released) -> str:
    """Say how many tests stand in each family, and how they are adjusted."""
    findings = released.evidence.findings
    said = []
    family = next((f for f in findings if f.adjustment and f.status == "confirmatory"), None)
    if family is not None and family.n_tests == 1:
        said.append("One difference was planned, so there is nothing to adjust for.")
    elif family is not None:
        said.append(
            f"The {family.n_tests} planned tests of differences share one family, adjusted by {family.adjustment}."
        )
    others = {f.family: f for f in findings if f.family in UNPLANNED and f.n_tests > 1}
    if others:
        named = listed([f"the {f.n_tests} {UNPLANNED[name]}" for name, f in others.items()])
        by = next(iter(others.values())).adjustment
        said.append(f"Adjusted by {by}{', each kind for itself' if len(others) > 1 else ''}: {named}.")
    if said and any(f.question == "joint" and f.family for f in findings):
        said.append(
            "A single difference behind a test of several groups has the larger of that test's adjusted p and its own, "
            "adjusted by Holm among the differences of that trait."
        )
    return " ".join(said)


def predictions(released: Released, words: Words) -> str:
    """Say what predicted effects, or why nothing did."""
    evidence = released.evidence
    if not evidence.engine:
        return capital(evidence.no_predictions)
    folds = "students" if words.cluster() == STUDENT else f"whole {plural(words.cluster())}"
    return " ".join((f"{capital(evidence.engine)}, with folds of {folds}.", *evidence.ignores))
