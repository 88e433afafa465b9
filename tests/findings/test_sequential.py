"""Several sequences of folds make one answer: the mean t, and the range that it leaves."""

from __future__ import annotations

import numpy as np
from scipy import stats

from whoworks.findings.sequential import join_sequences

ESTIMATE, ERROR, DF = np.array([1.0, 2.5, -0.5, 3.0]), np.array([1.0, 0.8, 1.5, 1.1]), np.array([10.0, 12.0, 8.0, 14.0])


def test_one_sequence_is_told_as_it_is():
    joined = join_sequences(estimate=ESTIMATE[:1], std_error=ERROR[:1], df=DF[:1])
    assert (joined.estimate, joined.std_error, joined.df) == (1.0, 1.0, 10.0)
    assert np.isclose(joined.p_value, 2 * stats.t.sf(1.0, 10))


def test_the_statistic_is_the_mean_of_the_sequences_t():
    joined = join_sequences(estimate=ESTIMATE, std_error=ERROR, df=DF)
    assert np.isclose(joined.statistic, (ESTIMATE / ERROR).mean())
    assert joined.df == DF.mean()


def test_the_range_holds_the_values_that_the_mean_t_does_not_rule_out():
    joined = join_sequences(estimate=ESTIMATE, std_error=ERROR, df=DF)
    critical = stats.t.ppf(0.95, DF.mean())
    low, high = joined.interval(0.9)
    assert np.isclose(((ESTIMATE - low) / ERROR).mean(), critical)
    assert np.isclose(((ESTIMATE - high) / ERROR).mean(), -critical)


def test_a_sequence_that_can_say_nothing_counts_as_no_evidence():
    silent = join_sequences(estimate=np.r_[ESTIMATE, np.nan, 2.0], std_error=np.r_[ERROR, 1.0, 0.0], df=np.r_[DF, 9, 9])
    assert silent.n_silent == 2
    assert np.isclose(silent.statistic, (ESTIMATE / ERROR).sum() / 6)
    assert np.isclose(silent.estimate, join_sequences(estimate=ESTIMATE, std_error=ERROR, df=DF).estimate)


def test_p_is_withheld_under_four_degrees_of_freedom():
    assert np.isnan(join_sequences(estimate=ESTIMATE, std_error=ERROR, df=np.full(4, 3.9)).p_value)


def test_nothing_but_silence_gives_nothing():
    joined = join_sequences(estimate=np.full(3, np.nan), std_error=ERROR[:3], df=DF[:3])
    assert np.isnan([joined.estimate, joined.std_error, joined.statistic, joined.p_value]).all()
