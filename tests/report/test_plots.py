"""The report's figures for a notebook: one call each, and a sentence where there is nothing to draw."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.report.harbour import averages, effect
from tests.report.test_sites_section import SITES
from whoworks.checks.verdict import Verdict
from whoworks.errors import ReportError
from whoworks.findings.finding import NAN, Findings
from whoworks.findings.searches.exploration import rank_groups
from whoworks.findings.smallest_cell import read_smallest_cell
from whoworks.forests.protocol import Predictions
from whoworks.report import plots
from whoworks.report.charts import draw_charts, refer
from whoworks.report.disclosure import Released
from whoworks.report.figures.attrition import Attrition, apart, crowds
from whoworks.report.figures.balance import Gap, plot_balance
from whoworks.report.figures.calibration import plot_calibration, read_points
from whoworks.report.figures.chart import direction
from whoworks.report.figures.curve import plot_curve
from whoworks.report.figures.forest import build_rows, tell_rows
from whoworks.report.figures.importance import Use
from whoworks.report.labels import read_words
from whoworks.report.sections.differences import curve_blocks
from whoworks.report.selection import select
from whoworks.report.tables import DASH

SHARES = [
    effect(9.0 * (1 - share), 2.0, question="ranking", moderator="predicted effect", level=f"{share:g}")
    for share in (0.2, 0.4, 0.6, 0.8)
]


def with_findings(evidence, *more, **fields):
    return replace(evidence, findings=Findings(items=(*evidence.findings, *more)), **fields)


def bare(evidence, **fields):
    return replace(evidence, **({"findings": Findings(items=tuple(averages()))} | fields))


def predictions(n=400, folds=4, seed=1):
    rng = np.random.default_rng(seed)
    fold = np.arange(n) % folds
    return Predictions(
        tau=rng.normal(6, 2, n) + fold, fold=fold, forward=np.full((1, n), np.nan), forward_fold=fold[None],
        engine="", ignores=(), importance=pd.DataFrame(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "more"),
    [
        (plots.plot_subgroups, ()),
        (plots.plot_sorted_groups, ()),
        (plots.plot_ranking, SHARES),
        (plots.plot_sites, SITES),
        (plots.plot_use, ()),
        (lambda evidence: plots.plot_curve(evidence, "tch_yrs"), ()),
        (lambda evidence: plots.plot_calibration(evidence, predictions()), ()),
    ],
    ids=["subgroups", "sorted groups", "ranking", "sites", "importance", "curve", "calibration"],
)
def test_each_figure_of_the_report_is_drawn_for_a_notebook(evidence, draw, more):
    assert draw(with_findings(evidence, *more)).get_axes()


@pytest.mark.parametrize(
    "draw",
    [
        plots.plot_sorted_groups,
        plots.plot_ranking,
        plots.plot_sites,
        lambda evidence: plots.plot_curve(evidence, "tch_yrs"),
    ],
    ids=["sorted groups", "ranking", "sites", "curve"],
)
def test_an_effect_s_axis_says_which_arm_minus_which_and_is_not_cut_off(evidence, draw):
    (axes,) = draw(with_findings(evidence, *SHARES, *SITES)).get_axes()
    assert axes.get_ylabel().endswith("points\nsmall groups minus usual practice")
    figure = axes.figure
    figure.draw_without_rendering()
    label = axes.yaxis.label.get_window_extent()
    assert figure.bbox.x0 <= label.x0
    assert figure.bbox.y0 <= label.y0
    assert label.y1 <= figure.bbox.y1


def test_long_words_on_an_axis_stand_in_lines_of_their_own(words):
    finding = effect(1.0, 1.0, question="ranking", unit="percentage points")
    assert direction("effect beyond that of all", finding, words) == (
        "effect beyond that of all,\npercentage points\nsmall groups minus usual practice"
    )


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (plots.plot_subgroups, "planned = true"),
        (plots.plot_sorted_groups, "no sorted groups to draw. An arm is too small."),
        (plots.plot_ranking, "no ranking to draw. An arm is too small."),
        (plots.plot_sites, "no sites to draw."),
        (lambda evidence: plots.plot_curve(evidence, "frl"), "no curve along 'frl'. Only a moderator of kind number"),
        (lambda evidence: plots.plot_calibration(evidence, None), "no calibration to draw. An arm is too small."),
    ],
    ids=["subgroups", "sorted groups", "ranking", "sites", "curve", "calibration"],
)
def test_what_cannot_be_drawn_is_a_sentence_with_its_reason(evidence, draw, said):
    with pytest.raises(ReportError) as refused:
        draw(bare(evidence, no_predictions="An arm is too small."))
    assert said in str(refused.value)


def test_a_curve_along_another_name_says_which_there_are(evidence):
    with pytest.raises(ReportError, match="Curves are drawn of tch_yrs"):
        plots.plot_curve(evidence, "tch_years")


def test_curves_whose_names_are_written_alike_are_each_drawn(evidence):
    named = ("математика", "чтение", "pre_test", "pre-test", "x 2")
    points = [
        effect(8.4 - place * x, 2.3, question="curve", moderator=moderator, level=f"{x:g}")
        for place, moderator in enumerate(named)
        for x in (1.0, 5.5, 10.0)
    ]
    given = with_findings(evidence, *points)
    whole = Released(evidence=given, withheld=(), rule=read_smallest_cell(given.plan))
    words = read_words(given)
    chosen = select(whole, words)
    figures = refer(draw_charts(whole, chosen, words))
    blocks = [curve_blocks(tuple(p for p in points if p.moderator == name), chosen, figures) for name in named]
    assert [len(block) for block in blocks] == [1] * len(named)
    files = [block[0].file for block in blocks]
    assert len(set(files)) == len(named)
    assert all(re.fullmatch(r"figures/curve-[a-z0-9-]+\.svg", file) for file in files)
    for name, (block,) in zip(named, blocks, strict=True):
        assert name in block.alt
        (axes,) = plots.plot_curve(given, name).axes
        assert name in axes.get_xlabel()


def test_sites_that_cannot_be_told_say_why(evidence):
    untold = effect(NAN, 1.0, question="site-variation", notes=("teachers and schools cannot be told apart",))
    with pytest.raises(ReportError, match=r"Teachers and schools cannot be told apart\.$"):
        plots.plot_sites(bare(evidence, findings=Findings(items=(*averages(), untold))))


def test_a_group_s_prediction_is_its_mean_without_the_folds_own_levels():
    predicted = predictions()
    groups = [effect(float(rank), 1.0, question="sorted-group", level=str(rank)) for rank in (1, 2)]
    points = read_points(groups, predicted, times=1.0)
    member = rank_groups(predicted.tau, predicted.fold, 2)
    means = pd.Series(predicted.tau).groupby(predicted.fold).transform("mean").to_numpy()
    centred = predicted.tau - means + predicted.tau.mean()
    assert [point.predicted for point in points] == pytest.approx([centred[member.member(k)].mean() for k in (0, 1)])
    assert np.mean([point.predicted for point in points]) == pytest.approx(predicted.tau.mean())


def test_calibration_tells_each_group_and_the_slope(words):
    groups = [effect(estimate, 1.0, question="sorted-group", level=str(k)) for k, estimate in ((1, 2.0), (2, 8.0))]
    slope = effect(0.7, 0.2, question="heterogeneity")
    points = read_points(groups, predictions(), times=1.0)
    chart = plot_calibration(points, slope=slope, average=averages()[0], words=words)
    assert "group 1, predicted " in chart.alt_text()
    assert chart.alt_text().endswith("Slope of the calibration test: 0.70.")
    assert chart.svg() == plot_calibration(points, slope=slope, average=averages()[0], words=words).svg()


def test_points_of_attrition_that_lie_together_share_one_label():
    loss = Attrition(words="reading", overall=7.4, differential=0.1, verdict=Verdict.PASS)
    far = Attrition(words="science", overall=30.0, differential=4.0, verdict=Verdict.PASS)
    assert crowds([loss, replace(loss, overall=8.6), far]) == [[0, 1], [2]]
    assert apart(replace(loss, differential=0.02)) == "under 0.1"


def test_counts_that_are_not_told_have_a_dash_each_and_no_words(words):
    group = effect(6.3, 2.1, question="subgroup", moderator="frl", level="Y", n_units=0, n_clusters=0)
    heading, row = build_rows((group,), words)
    assert (row.students, row.clusters) == (DASH, DASH)
    assert f"eligible: {row.told}." in tell_rows((heading, row), averages()[0], words)
    alone = replace(words, cluster_level="student")
    assert build_rows((replace(group, cluster="student"),), alone)[1].clusters == ""


@pytest.mark.parametrize(("bend", "said"), [(0.0, "drawn straight"), (0.01, "bends freely")])
def test_a_curve_that_is_a_straight_line_is_called_one(evidence, words, bend, said):
    points = [
        effect(8.4 - 0.19 * x + bend * x**2, 2.3, question="curve", moderator="tch_yrs", level=f"{x:g}")
        for x in (1.0, 5.5, 10.0)
    ]
    assert said in plot_curve(points, average=averages()[0], words=words, name="curve").caption


@pytest.mark.parametrize(
    ("share", "limit", "places"), [(0.51, 0.31, 0), (0.3214, 0.3192, 1), (0.32, 0.32, 0), (0.4, NAN, 0)]
)
def test_a_share_has_as_many_decimals_as_it_takes_to_tell_it_from_its_limit(share, limit, places):
    assert Use(words="sex", share=share, noise_median=0.2, noise_high=limit).places == places


@pytest.mark.parametrize(("n", "step"), [(20, 0.175), (21, 0.15), (36, 0.15)])
def test_many_differences_before_assignment_stand_closer_so_that_a_page_has_room_for_them(n, step):
    gaps = [Gap(words=f"trait {k}", value=0.01 * k) for k in range(n)]
    drawing = plot_balance(gaps, treatment="small groups", control="usual practice").drawing
    middles = [text.get_position()[1] for text in drawing.texts if text.get_text().startswith("Trait")]
    assert len(middles) == n
    assert (middles[0] - middles[1]) * drawing.get_size_inches()[1] == pytest.approx(step)
