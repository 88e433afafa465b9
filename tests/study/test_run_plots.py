"""A run draws its figures, and says in a sentence what it cannot draw."""

from __future__ import annotations

import pytest

from whoworks.errors import WhoworksError
from whoworks.plan.plan import Plan
from whoworks.simulate.pilot import make_pilot
from whoworks.study import Study


@pytest.fixture(scope="module")
def run():
    """Run a pilot of students assigned within twelve schools, nothing predicted, with a target."""
    pilot = make_pilot("student-moderator", students=480, classes=48, schools=12, assigned="student")
    given = pilot.plan.given | {"analysis": {"engine": "none"}}
    given["moderators"] = [m for m in given["moderators"] if m["column"] in ("frl", "rit_fall")]
    given["target"] = {"name": "the state", "means": {"frl": {"Y": 0.9}, "rit_fall": 180.0}}
    return Study.from_plan(Plan.build(given), frame=pilot.records).run()


def test_subgroups_curves_and_sites_are_drawn(run):
    for drawing in (run.plot_subgroups(), run.plot_curve("rit_fall"), run.plot_sites()):
        assert drawing.get_axes()


@pytest.mark.parametrize("name", ["plot_sorted_groups", "plot_calibration", "plot_ranking", "plot_importance"])
def test_what_rests_on_predictions_is_refused_where_none_were_made(run, name):
    with pytest.raises(WhoworksError, match=r"^There (is|are) no.* asks for no predicted effects\.$"):
        getattr(run, name)()


def test_a_target_far_away_is_a_caveat_that_changes_how_the_first_page_is_read(run):
    (caveat,) = (caveat for caveat in run.caveats if caveat.caveat_id == "unlike_target")
    assert caveat.gravity == 1
    assert "The schools of this study are unlike the state; they differ most in mathematics" in caveat.sentence
