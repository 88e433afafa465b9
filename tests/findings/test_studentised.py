"""The t statistic of many draws at once is that of the regression, draw by draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.findings.pilots import open_pilot
from whoworks.design.redraw import draw_many, list_assigned
from whoworks.findings.redrawing.randomization import _reassigned, randomization_test
from whoworks.findings.redrawing.studentised import StudentisedEffect

DESIGNS = {
    "eight classes in two schools": {"students": 160, "classes": 8, "schools": 2},
    "twelve classes without blocks": {"students": 240, "classes": 12, "schools": 12, "blocks": "none"},
    "pairs of classes": {"students": 200, "classes": 10, "schools": 2, "blocks": "pair"},
    "schools": {"students": 240, "classes": 20, "schools": 10, "assigned": "school"},
}


def opened(design, world="class-varying"):
    return open_pilot(world, names=("frl", "devices", "rit_fall"), seed=5, **DESIGNS[design])


def asked(pilot, column):
    """Return the statistic along a column, or of the average."""
    scores = pilot.scores
    if not column:
        return StudentisedEffect.of_average(scores)
    values = pilot.panel.values[column].iloc[scores.rows]
    numbers = values.cat.codes.to_numpy(dtype=float) if column != "rit_fall" else values.to_numpy(dtype=float)
    keep = ~np.isnan(numbers) & (numbers >= 0)
    return StudentisedEffect(basis=np.column_stack([np.ones(len(keep)), np.where(keep, numbers, 0.0)]), keep=keep)


def draws(pilot, n=40):
    """Return some of the arms that the design could have drawn, (n, u), each unit's place there, and in the design."""
    design = pilot.design
    place = np.searchsorted(design.rows, pilot.scores.rows)
    units = list_assigned(arm=design.arm, assigned=design.assigned, block=design.block)
    return draw_many(units, n_draws=n, rng=np.random.default_rng(3)), units.unit[place], place


@pytest.mark.parametrize("column", ["", "frl", "devices", "rit_fall"])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_statistic_of_every_draw_is_the_regressions(design, column):
    pilot = opened(design)
    statistic, (drawn, unit, place) = asked(pilot, column), draws(pilot)
    scores, known = pilot.scores, pilot.design
    base = scores.y - 1.5 * scores.z
    told = statistic.over_draws(
        scores, drawn=drawn, unit=unit, compared=(1,), probability=known.probability[place], base=base, effect=1.5
    )
    plain = np.array([statistic(_reassigned(scores, known, arm[unit], place, base, 1.5)) for arm in drawn])
    assert np.isfinite(told).any() or column == "devices"
    assert told[np.isfinite(told)] == pytest.approx(plain[np.isfinite(told)], rel=1e-8, abs=1e-9)
    assert (plain[np.isnan(told)] == 0).all()  # all that is left to the regression: draws that cannot tell the effect


def test_three_arms_are_compared_two_at_a_time():
    pilot = open_pilot("three-arms", names=("frl",), students=360, classes=18, schools=3, seed=2)
    statistic, scores, known = asked(pilot, "frl"), pilot.scores, pilot.design
    place = np.searchsorted(known.rows, scores.rows)
    units = list_assigned(arm=known.arm, assigned=known.assigned, block=known.block)
    told = statistic.over_draws(
        scores, drawn=units.arm[None], unit=units.unit[place], compared=(1, 2), probability=known.probability[place],
        base=scores.y, effect=0.0,
    )  # fmt: skip
    assert told == pytest.approx([statistic(scores)], rel=1e-8)


@pytest.mark.parametrize("column", ["", "frl"])
def test_the_p_is_that_of_the_regression_in_every_draw(column):
    pilot = opened("eight classes in two schools")
    statistic = asked(pilot, column)
    tests = [
        randomization_test(
            pilot.scores, pilot.design, statistic=how, effect=0.5, rng=np.random.default_rng(0)
        ) for how in (statistic, lambda scores: statistic(scores))
    ]  # fmt: skip
    assert tests[0] == tests[1]


def test_a_cluster_that_is_not_drawn_as_a_whole_is_left_to_the_regression():
    pilot = opened("twelve classes without blocks")
    statistic, (drawn, unit, place) = asked(pilot, ""), draws(pilot, 3)
    unit[0] = (unit[0] + 1) % drawn.shape[1]
    told = statistic.over_draws(
        pilot.scores, drawn=drawn, unit=unit, compared=(1,), probability=pilot.design.probability[place],
        base=pilot.scores.y, effect=0.0,
    )  # fmt: skip
    assert told is None


def test_a_basis_of_three_columns_beside_the_prognosis_is_left_to_the_regression():
    pilot = opened("twelve classes without blocks")
    drawn, unit, place = draws(pilot, 3)
    basis = np.random.default_rng(0).normal(size=(len(unit), 3))
    run = {"drawn": drawn, "unit": unit, "compared": (1,), "probability": pilot.design.probability[place]}
    statistic = StudentisedEffect(basis=basis, keep=np.ones(len(unit), dtype=bool))
    assert pilot.scores.h is not None
    assert statistic.over_draws(pilot.scores, base=pilot.scores.y, effect=0.0, **run) is None
    assert statistic.over_draws(replace(pilot.scores, h=None), base=pilot.scores.y, effect=0.0, **run) is not None


def test_a_draw_without_full_rank_is_left_to_the_regression():
    """Where arm and moderator coincide, their product cannot be told from either."""
    pilot = opened("twelve classes without blocks")
    scores, (drawn, unit, place) = pilot.scores, draws(pilot)
    arm = drawn[0][unit].astype(float)
    statistic = StudentisedEffect(basis=np.column_stack([np.ones(len(arm)), arm]), keep=np.ones(len(arm), dtype=bool))
    told = statistic.over_draws(
        replace(scores, h=None), drawn=drawn, unit=unit, compared=(1,), probability=pilot.design.probability[place],
        base=scores.y, effect=0.0,
    )  # fmt: skip
    assert np.isnan(told[0])
    assert np.isfinite(told[1:]).any()


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
@pytest.mark.parametrize("column", ["", "frl"])
def test_the_draw_that_was_made_has_the_observed_t_however_far_outcomes_lie_from_zero(column, offset):
    pilot = opened("eight classes in two schools")
    statistic, scores, known = asked(pilot, column), pilot.scores, pilot.design
    far = replace(scores, y=scores.y - scores.y.mean() + offset * scores.y.std())
    place = np.searchsorted(known.rows, scores.rows)
    units = list_assigned(arm=known.arm, assigned=known.assigned, block=known.block)
    told = statistic.over_draws(
        far, drawn=units.arm[None], unit=units.unit[place], compared=(1,), probability=known.probability[place],
        base=far.y, effect=0.0,
    )  # fmt: skip
    assert told == pytest.approx([statistic(far)], rel=1e-11)
    assert told == pytest.approx([statistic(scores)], rel=1e-5)
