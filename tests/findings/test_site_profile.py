"""Who the sites are, and how like a target: means and spreads that a reader could work out, and nothing tested."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.findings.pilots import open_study, three_arms, where
from whoworks.errors import PanelError
from whoworks.findings.sites.profile import find_site_profile
from whoworks.plan.plan import Plan
from whoworks.simulate.pilot import make_pilot

MEANS = {"rit_fall": 208.0, "frl": {"N": 0.4, "Y": 0.6}, "setting": {"city": 0.3, "suburb": 0.4, "town": 0.3}}


@cache
def drawn(schools=12):
    return make_pilot("student-moderator", students=480, classes=48, schools=schools, assigned="student")


def opened(target=None, *, schools=12, levels=None):
    """Open the pilot's main outcome, with a target in its plan."""
    pilot = drawn(schools)
    given = pilot.plan.given | ({} if target is None else {"target": {"name": "the state"} | target})
    if levels is not None:
        given["levels"] = levels
        del given["design"]["blocks"], given["design"]["site"]
        given["design"]["probability"] = 0.5
        for moderator in given["moderators"]:
            moderator["level"] = "student"
    return open_study(Plan.build(given), pilot.records)


def profile(*arguments, **options):
    study = opened(*arguments, **options)
    return find_site_profile(study.panel, study.main)


def analysed():
    """Return the records of the students analysed."""
    return drawn().records.dropna(subset=["rit_spring"])


def test_a_number_has_the_mean_over_students_and_a_group_its_share():
    found = profile()
    assert where(found, moderator="rit_fall", level="").estimate == pytest.approx(analysed()["rit_fall"].mean())
    share = analysed()["frl"].dropna().eq("Y").mean()
    assert where(found, moderator="frl", level="Y").estimate == pytest.approx(100 * share)


def test_the_spread_is_the_sd_of_the_schools_own_means():
    found = profile()
    spread = where(found, moderator="rit_fall", level="between schools")
    assert spread.estimate == pytest.approx(analysed().groupby("school_id")["rit_fall"].mean().std())
    assert spread.df == 11
    of_shares = where(found, moderator="frl", level="Y: between schools")
    frl = analysed().dropna(subset=["frl"])
    assert of_shares.estimate == pytest.approx(100 * frl["frl"].eq("Y").groupby(frl["school_id"]).mean().std())


def test_nothing_is_tested_and_no_school_is_named():
    found = profile({"means": MEANS})
    assert {f.status for f in found} == {"descriptive"}
    assert all(np.isnan(f.p_value) and np.isnan(f.conf_low) for f in found)
    assert not [f for f in found for school in drawn().records["school_id"].unique() if school in f.finding_id]


def test_without_a_target_nothing_is_compared():
    assert {f.question for f in profile()} == {"site-profile"}


def test_a_difference_from_the_target_is_in_sd_between_schools():
    found = profile({"means": MEANS})
    mean = where(found, question="site-profile", moderator="rit_fall", level="").estimate
    spread = where(found, question="site-profile", moderator="rit_fall", level="between schools").estimate
    gap = where(found, question="target", moderator="rit_fall")
    assert gap.estimate == pytest.approx(mean - 208.0)
    assert gap.effect_size == pytest.approx((mean - 208.0) / spread)
    assert gap.sd_used == "SD between schools"


def test_the_target_s_own_spread_goes_before_these_schools():
    gap = where(profile({"means": MEANS, "sds": {"rit_fall": 4.0}}), question="target", moderator="rit_fall")
    assert gap.effect_size == pytest.approx(gap.estimate / 4.0)
    assert gap.sd_used == "SD between schools, of the target"


def test_either_of_two_groups_tells_the_other():
    first, second = (
        {"means": {"frl": {code: share}}, "sds": {"frl": {code: 0.2}}} for code, share in (("N", 0.4), ("Y", 0.6))
    )
    gaps = [where(profile(target), question="target", moderator="frl") for target in (first, second)]
    assert gaps[0].estimate == pytest.approx(gaps[1].estimate)
    assert gaps[0].effect_size == pytest.approx(gaps[1].effect_size)


def test_the_index_is_that_of_the_plain_formula():
    found = profile({"means": {"rit_fall": 208.0, "frl": {"Y": 0.6}}})
    frame = analysed().assign(frl=analysed()["frl"].map({"N": 0.0, "Y": 1.0}))
    by_school = frame.groupby("school_id")[["rit_fall", "frl"]].mean()
    gap = frame[["rit_fall", "frl"]].mean().to_numpy() - [208.0, 0.6]
    distance = gap @ np.linalg.inv(by_school.cov().to_numpy()) @ gap
    index = where(found, question="target", level="index")
    assert index.estimate == pytest.approx(np.exp(-distance / 8), rel=1e-9)
    assert index.df_num == 2
    assert "a random draw of 12 schools would score" in index.notes[0]


def test_schools_are_like_themselves_and_unlike_what_lies_three_sd_away():
    frame = analysed()
    spread = frame.groupby("school_id")["rit_fall"].mean().std()
    same = {
        "means": {
            "rit_fall": float(frame["rit_fall"].mean()),
            "frl": {"Y": float(frame["frl"].dropna().eq("Y").mean())},
        }
    }
    assert where(profile(same), level="index").estimate == pytest.approx(1.0)
    far = {"means": {"rit_fall": float(frame["rit_fall"].mean() + 3 * spread)}}
    assert where(profile(far), level="index").estimate == pytest.approx(np.exp(-9 / 8))


def test_all_shares_of_a_category_count_as_one_fewer():
    index = where(profile({"means": {"setting": MEANS["setting"]}}), level="index")
    assert index.df_num == 2


def test_few_schools_have_differences_and_no_index():
    found = profile({"means": MEANS}, schools=6)
    index = where(found, level="index")
    assert np.isnan(index.estimate)
    assert index.notes == ("6 schools, where an index over 4 traits takes 10",)
    assert np.isfinite(where(found, question="target", moderator="rit_fall").effect_size)


def test_what_is_the_same_in_every_school_is_left_out_and_said_so():
    study = opened({"means": {"rit_fall": 208.0, "teacher_years": 9.0}})
    study.panel.values["teacher_years"] = 9.5
    found = find_site_profile(study.panel, study.main)
    assert where(found, level="index").notes[-1] == "1 left out, alike in all schools"
    assert np.isnan(where(found, question="target", moderator="teacher_years").effect_size)


def test_a_study_of_students_alone_has_a_profile_and_no_spread():
    found = profile({"means": MEANS}, levels={"student": "student_id"})
    assert not [f for f in found if "between" in f.level]
    gap = where(found, question="target", moderator="rit_fall")
    assert gap.effect_size == pytest.approx(gap.estimate / analysed()["rit_fall"].std())


def test_a_rare_group_in_one_arm_is_the_smallest_cell():
    found = profile()
    frame = analysed().dropna(subset=["el"])
    assert where(found, moderator="el", level="Y").smallest_cell == pd.crosstab(frame["el"], frame["arm"]).min().min()


def test_a_share_of_a_group_that_the_data_lack_is_refused():
    given = drawn().plan.given
    given["moderators"] = [{"column": "setting", "level": "school"}]
    given["target"] = {"name": "the state", "means": {"setting": {"citty": 0.3}}}
    with pytest.raises(PanelError, match="Did you mean 'city'"):
        open_study(Plan.build(given), drawn().records)


def test_of_three_arms_only_the_students_of_the_two_compared_are_described():
    study = three_arms()
    for setting in study.settings:
        either = setting.treated | setting.control
        assert not either.all()
        values = study.panel.values["rit_fall"].to_numpy(dtype=float)[setting.scores.rows]
        found = where(find_site_profile(study.panel, setting), question="site-profile", moderator="rit_fall", level="")
        assert found.estimate == pytest.approx(np.nanmean(values[either]))


def test_an_index_takes_two_schools_for_every_trait_and_one_more():
    """Five traits: eleven schools and not ten."""
    means = MEANS | {"sex": {"F": 0.5}}
    ten, eleven = (where(profile({"means": means}, schools=n), level="index") for n in (10, 11))
    assert ten.notes == ("10 schools, where an index over 5 traits takes 11",)
    assert np.isnan(ten.estimate)
    assert np.isfinite(eleven.estimate)


def test_unequal_schools_are_worth_fewer_in_what_a_random_draw_would_score():
    """Most students are of two schools: twelve schools tell a mean no better than some three equal ones."""
    records = drawn().records
    small = ~records["school_id"].isin(sorted(records["school_id"].unique())[:2])
    thinned = records[~small | (records.groupby("school_id").cumcount() < 4)]
    given = drawn().plan.given | {"target": {"name": "the state", "means": {"rit_fall": 208.0}}}
    study = open_study(Plan.build(given), thinned)
    size = np.bincount(study.scores.site).astype(float)
    n = size.sum() ** 2 / (size**2).sum()
    assert n < 6 < len(size)
    expected = np.exp(-stats.f.ppf(0.95, 1, n - 1) / n / 8)
    note = where(find_site_profile(study.panel, study.main), level="index").notes[0]
    assert note == f"a random draw of {len(size)} schools would score {expected:.2f} or more 19 times in 20"


def test_a_spread_between_few_schools_counts_the_schools_as_its_smallest_cell():
    """Where each student is a cluster many clusters stand behind a spread of four schools' means."""
    found = profile(schools=4)
    assert where(found, moderator="rit_fall", level="between schools").smallest_cell_clusters == 4
    assert where(found, moderator="rit_fall", level="").smallest_cell_clusters > 50
