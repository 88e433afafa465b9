"""Several sequences of folds make one answer: the mean t, and the range that it leaves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from whoworks.findings.searches.sequential import LEAST_SHARE, join_sequences, spread_of_mean

ESTIMATE, ERROR, DF = np.array([1.0, 2.5, -0.5, 3.0]), np.array([1.0, 0.8, 1.5, 1.1]), np.array([10.0, 12.0, 8.0, 14.0])


def test_one_sequence_is_told_as_it_is():
    joined = join_sequences(estimate=ESTIMATE[:1], std_error=ERROR[:1], df=DF[:1])
    assert (joined.estimate, joined.std_error, joined.df) == (1.0, 1.0, 10.0)
    assert np.isclose(joined.p_value, stats.t.sf(1.0, 10))


def test_the_statistic_is_the_mean_of_the_sequences_t_over_its_spread():
    joined = join_sequences(estimate=ESTIMATE, std_error=ERROR, df=DF)
    t = ESTIMATE / ERROR
    assert np.isclose(joined.statistic, t.mean() / spread_of_mean(t, df=11.0))
    assert joined.df == DF.mean()


def test_p_is_one_sided():
    assert join_sequences(estimate=-ESTIMATE, std_error=ERROR, df=DF).p_value > 0.5


def test_the_spread_of_a_mean_is_that_of_sequences_dealt_again_and_again():
    """Data give a level, sequences move around it: over 4,000 data sets the spread told is the mean's (error .015)."""
    rng = np.random.default_rng(1)
    t = np.sqrt(0.7) * rng.standard_normal((4000, 1)) + np.sqrt(0.3) * rng.standard_normal((4000, 20))
    told = np.array([spread_of_mean(each, df=1e9) for each in t])
    assert abs(np.sqrt((told**2).mean()) / t.mean(axis=1).std() - 1) < 0.05
    assert np.isclose(spread_of_mean(t[0], df=1e9) ** 2, 1 - 0.95 * t[0].var(ddof=1))


def test_sequences_that_agree_are_as_good_as_one():
    assert spread_of_mean(np.full(20, 1.3), df=12.0) == 1.0
    assert spread_of_mean(np.array([1.3]), df=12.0) == 1.0
    assert spread_of_mean(np.array([-2.0, 2.0]), df=np.nan) == 1.0


def test_a_mean_never_has_less_than_half_the_variance_of_one():
    assert np.isclose(spread_of_mean(np.array([-3.0, 3.0, -3.0, 3.0]), df=12.0) ** 2, LEAST_SHARE)


def test_the_range_holds_the_values_that_the_mean_t_does_not_rule_out():
    joined = join_sequences(estimate=ESTIMATE, std_error=ERROR, df=DF)
    critical = stats.t.ppf(0.95, DF.mean()) * spread_of_mean(ESTIMATE / ERROR, df=11.0)
    low, high = joined.interval(0.9)
    assert np.isclose(((ESTIMATE - low) / ERROR).mean(), critical)
    assert np.isclose(((ESTIMATE - high) / ERROR).mean(), -critical)


def test_a_sequence_that_can_say_nothing_counts_as_no_evidence():
    silent = join_sequences(estimate=np.r_[ESTIMATE, np.nan, 2.0], std_error=np.r_[ERROR, 1.0, 0.0], df=np.r_[DF, 9, 9])
    assert silent.n_silent == 2
    t = np.r_[ESTIMATE / ERROR, 0.0, 0.0]
    assert np.isclose(silent.statistic, t.mean() / spread_of_mean(t, df=silent.df))
    assert np.isclose(silent.estimate, join_sequences(estimate=ESTIMATE, std_error=ERROR, df=DF).estimate)


def test_p_is_withheld_under_four_degrees_of_freedom():
    assert np.isnan(join_sequences(estimate=ESTIMATE, std_error=ERROR, df=np.full(4, 3.9)).p_value)


def test_nothing_but_silence_gives_nothing():
    joined = join_sequences(estimate=np.full(3, np.nan), std_error=ERROR[:3], df=DF[:3])
    assert np.isnan([joined.estimate, joined.std_error, joined.statistic, joined.p_value]).all()


def test_however_far_sequences_lie_apart_half_of_one_ts_variance_is_kept():
    """Ten t's that nearly cancel: by the law of total variance their mean would seem to hardly spread at all."""
    t = np.array([-2.0, 2.0] * 5)
    assert (1 - 1 / 10) * t.var(ddof=1) * (20 - 2) / 20 > 1
    assert spread_of_mean(t, df=20) == pytest.approx(np.sqrt(0.5))
    mild = np.array([-0.5, 0.5] * 5)
    share = (1 - 1 / 10) * mild.var(ddof=1) * (20 - 2) / 20
    assert spread_of_mean(mild, df=20) == pytest.approx(np.sqrt(1 - share))
