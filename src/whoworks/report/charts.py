"""Every figure of a report, drawn from released evidence; one that cannot be drawn stops the report, by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pandas as pd

from whoworks.checks.verdict import Check, Verdict
from whoworks.errors import ReportError
from whoworks.findings.finding import Finding
from whoworks.findings.searches.ranking import AREA, TOP_THIRD
from whoworks.report.disclosure import Released
from whoworks.report.document import FigureRef
from whoworks.report.evidence import Evidence
from whoworks.report.figures.attrition import Attrition, plot_attrition
from whoworks.report.figures.balance import Gap, plot_balance
from whoworks.report.figures.chart import Chart
from whoworks.report.figures.curve import plot_curve
from whoworks.report.figures.flow import plot_flow
from whoworks.report.figures.forest import plot_forest, split_pages
from whoworks.report.figures.groups import plot_groups
from whoworks.report.figures.importance import Use, plot_importance
from whoworks.report.figures.ranking import plot_ranking
from whoworks.report.figures.sites import plot_sites
from whoworks.report.labels import Words, outcome_of
from whoworks.report.participants import read_flow
from whoworks.report.selection import Selection

FEWEST_CURVE_POINTS = 3
FEWEST_SITES = 3
FEWEST_GAPS = 2  # one difference before assignment is a sentence, not a figure

Drawing = tuple[str, Callable[[], Chart]]


def draw_charts(released: Released, chosen: Selection, words: Words) -> tuple[Chart, ...]:
    """Draw every figure that the evidence has numbers for.

    Raises
    ------
    ReportError
        When a figure cannot be drawn, naming it.
    """
    return tuple(draw_safely(name, draw) for name, draw in plan_charts(released, chosen, words))


def draw_safely(name: str, draw: Callable[[], Chart]) -> Chart:
    """Draw one figure; what goes wrong is told with the figure's name."""
    try:
        return draw()
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ReportError(
            f"The figure '{name}' cannot be drawn ({type(error).__name__}), so no report is written; the last one is "
            "untouched."
        ) from error


def plan_charts(released: Released, chosen: Selection, words: Words) -> Iterator[Drawing]:
    """Yield each figure's name and how it is drawn."""
    evidence = released.evidence
    first = next(o.name for o in words.plan.outcomes if o.primary)
    flow = read_flow(evidence.ledger, words, first)
    yield "participant-flow", lambda: plot_flow(flow, words=words)
    lost = [check for check in evidence.checks if check.check_id == "attrition"]
    losses = [point for check in lost for point in read_losses(check, words)]
    if any(point.overall > 0 for point in losses):  # where nobody is lost, the check's sentence says it all
        yield "attrition", lambda: plot_attrition(losses)
    gaps = [gap for check in evidence.checks if check.check_id == "balance" for gap in read_gaps(check.table, words)]
    gaps = list({(gap.words, gap.group): gap for gap in gaps if math.isfinite(gap.value)}.values())
    if len(gaps) >= FEWEST_GAPS:
        arms = words.plan.arms
        treatment = words.arm(arms.treatments[0]) if len(arms.treatments) == 1 else "the arm named"
        yield "balance", lambda: plot_balance(gaps, treatment=treatment, control=words.arm(arms.control))
    if chosen.main is None:
        return
    main = chosen.main
    groups = tuple(f for f in chosen.planned if f.question == "subgroup" and is_beside(f, main))
    for place, page in enumerate(split_pages(groups, words), start=1):
        name = "forest" if place == 1 else f"forest-{place}"
        yield name, partial(plot_forest, average=main, groups=page, words=words, name=name)
    yield from plan_curves(chosen, main, words)
    places = tuple(f for f in chosen.sites if f.question == "site-variation" and f.level and math.isfinite(f.estimate))
    if len(places) >= FEWEST_SITES:
        new = next((f for f in chosen.sites if f.question == "new-site"), None)
        yield "sites", lambda: plot_sites(places, new=new, words=words)
    ranked = tuple(f for f in chosen.sorted_groups if "-" not in f.level and is_beside(f, main))
    if any(math.isfinite(f.estimate) for f in ranked):
        yield "sorted-groups", lambda: plot_groups(ranked, average=main, words=words)
    points = tuple(f for f in chosen.ranking if f.level not in (AREA, TOP_THIRD) and is_beside(f, main))
    if sum(math.isfinite(f.estimate) for f in points) >= FEWEST_CURVE_POINTS:
        yield "ranking", lambda: plot_ranking(points, words=words)
    used = read_use(evidence, words)
    if len(used) > 1:
        yield "importance", lambda: plot_importance(used)


def plan_curves(chosen: Selection, main: Finding, words: Words) -> Iterator[Drawing]:
    """Yield one curve per number among the moderators, for the main outcome."""
    for moderator, name in curve_names(chosen).items():
        points = tuple(f for f in chosen.curves if f.moderator == moderator and is_beside(f, main))
        if sum(math.isfinite(f.estimate) for f in points) < FEWEST_CURVE_POINTS:
            continue
        yield name, partial(plot_curve, points, average=main, words=words, name=name)


def is_beside(finding: Finding, main: Finding) -> bool:
    """Whether a finding is about the main outcome, treatment and weighting."""
    same = outcome_of(finding) == outcome_of(main) and finding.contrast == main.contrast
    return same and finding.weighting == main.weighting and finding.estimand == main.estimand


def read_losses(check: Check, words: Words) -> Iterator[Attrition]:
    """Read attrition from its check's table; rows that are withheld are left out."""
    for row in check.table.to_dict("records"):
        if not math.isfinite(float(row["overall"])):
            continue
        named = words.short_outcome(str(row["outcome"]))
        if len(words.plan.arms.treatments) > 1:
            named += f", {words.arm(str(row['arm']))}"
        yield Attrition(
            words=named,
            overall=100 * float(row["overall"]),
            differential=100 * float(row["differential"]),
            verdict=Verdict(str(row["verdict"])),
        )


def read_gaps(table: pd.DataFrame, words: Words) -> Iterator[Gap]:
    """Read standardised differences from a balance check's table."""
    if not {"variable", "level", "standardised"} <= set(table.columns):
        return
    for row in table.to_dict("records"):
        named = words.variable(str(row["variable"]))
        level = str(row["level_label"]) if row["level"] else ""
        arm = words.arm(str(row["arm"])) if len(words.plan.arms.treatments) > 1 else ""
        yield Gap(words=f"{named}{': ' + level if level else ''}", value=float(row["standardised"]), group=arm)


def read_use(evidence: Evidence, words: Words) -> tuple[Use, ...]:
    """Read how much each moderator is used, the most used first; moderators of one share stand by name."""
    frame = evidence.importance.sort_values(["share", "moderator"], ascending=[False, True])
    return tuple(
        Use(
            words=words.variable(str(row["moderator"])),
            share=float(row["share"]),
            noise_median=float(row["noise_median"]),
            noise_high=float(row["noise_high"]),
        )
        for row in frame.to_dict("records")
    )


def curve_names(chosen: Selection) -> dict[str, str]:
    """Return the name of each moderator's curve; where two would have the same, the later one is numbered."""
    names: dict[str, str] = {}
    for moderator in dict.fromkeys(f.moderator for f in chosen.curves):
        own = f"curve-{file_name(moderator)}"
        numbered = (own if place == 1 else f"{own}-{place}" for place in count(1))
        names[moderator] = next(name for name in numbered if name not in names.values())
    return names


def file_name(text: str) -> str:
    """Return a text as part of a file's name: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def refer(charts: tuple[Chart, ...]) -> dict[str, FigureRef]:
    """Return how the document refers to each chart, by name."""
    return {
        chart.name: FigureRef(
            name=chart.name, file=f"figures/{chart.name}.svg", caption=chart.caption, alt=chart.alt_text()
        )
        for chart in charts
    }
