"""The report's figures one by one, for a notebook; nothing is withheld here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from whoworks.errors import ReportError
from whoworks.findings.searches.exploration import PREDICTED
from whoworks.findings.smallest_cell import read_smallest_cell
from whoworks.forests.protocol import Predictions
from whoworks.report.charts import curve_names, is_beside, plan_charts, read_use
from whoworks.report.disclosure import Released
from whoworks.report.evidence import Evidence
from whoworks.report.figures.calibration import plot_calibration as draw_calibration
from whoworks.report.figures.calibration import read_points
from whoworks.report.figures.importance import plot_importance
from whoworks.report.labels import outcome_of, read_words
from whoworks.report.selection import Selection, select

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_subgroups(evidence: Evidence) -> Figure:
    """Draw the planned groups of the main outcome beside the average.

    Raises
    ------
    ReportError
        When the plan names no group in advance.
    """
    return _draw(
        evidence, "forest", "There is no planned group to draw: mark a moderator as planned = true in the plan."
    )


def plot_sorted_groups(evidence: Evidence) -> Figure:
    """Draw the effects in groups sorted by prediction; ReportError when there are none."""
    return _draw(evidence, "sorted-groups", f"There are no sorted groups to draw. {_why(evidence, 'sorted-group')}")


def plot_ranking(evidence: Evidence) -> Figure:
    """Draw the targeting curve; ReportError when there is none."""
    return _draw(evidence, "ranking", f"There is no ranking to draw. {_why(evidence, 'ranking')}")


def plot_curve(evidence: Evidence, moderator: str) -> Figure:
    """Draw the effect along a number; ReportError when the plan has no such number, or its curve has no points."""
    curved = curve_names(_select(evidence)[1])
    named = f"Curves are drawn of {', '.join(curved)}." if curved else "Only a moderator of kind number has one."
    return _draw(evidence, curved.get(moderator, ""), f"There is no curve along '{moderator}'. {named}")


def plot_sites(evidence: Evidence) -> Figure:
    """Draw the sites' effects, unnamed; ReportError, with the reason, when they cannot be told."""
    why = _why(evidence, "site-variation") if evidence.plan.design.site else "Name design.site in the plan."
    return _draw(evidence, "sites", f"There are no sites to draw. {why}")


def plot_calibration(evidence: Evidence, predictions: Predictions | None) -> Figure:
    """Draw estimated against predicted effects in sorted groups; ReportError when there are none."""
    released, chosen = _select(evidence)
    words, main = read_words(released.evidence), chosen.main
    groups = [f for f in chosen.sorted_groups if "-" not in f.level and main is not None and is_beside(f, main)]
    slope = next((f for f in chosen.heterogeneity if f.moderator == PREDICTED and math.isfinite(f.estimate)), None)
    if predictions is None or main is None or slope is None or not groups:
        raise ReportError(f"There is no calibration to draw. {_why(evidence, 'sorted-group')}")
    times = 100.0 if words.is_binary(outcome_of(main)) else 1.0
    points = read_points(groups, predictions, times=times)
    return draw_calibration(points, slope=slope, average=main, words=words).drawing


def plot_use(evidence: Evidence) -> Figure:
    """Draw how much predictions use each moderator; ReportError when no effects were predicted."""
    used = read_use(evidence, read_words(evidence))
    if not used:
        raise ReportError(f"There is nothing to rank. {evidence.no_predictions}")
    return plot_importance(used).drawing


def _select(evidence: Evidence) -> tuple[Released, Selection]:
    whole = Released(evidence=evidence, withheld=(), rule=read_smallest_cell(evidence.plan))
    return whole, select(whole, read_words(evidence))


def _draw(evidence: Evidence, name: str, otherwise: str) -> Figure:
    """Draw the report's figure of this name, or say why there is none."""
    whole, chosen = _select(evidence)
    for planned, draw in plan_charts(whole, chosen, read_words(evidence)):
        if planned == name:
            return draw().drawing
    raise ReportError(otherwise)


def _why(evidence: Evidence, question: str) -> str:
    """Say why a question has no numbers: its own note, or why no effects were predicted."""
    lost = [f for f in evidence.findings if f.question == question and math.isnan(f.estimate)]
    notes = [note.removeprefix("not assessable: ") for finding in lost for note in finding.notes]
    told = notes[0] if notes else evidence.no_predictions
    return f"{told[:1].upper()}{told[1:]}{'' if told.endswith('.') or not told else '.'}"
