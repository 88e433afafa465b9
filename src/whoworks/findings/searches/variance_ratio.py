"""A sign of differing effects that needs no moderator: outcomes that vary more, or less, under the programme."""

from __future__ import annotations

from whoworks.findings.finding import NAN, Finding
from whoworks.findings.setting import FEW_DF, TOO_FEW_DF, Setting
from whoworks.inference.variance_ratio import variance_ratio

VARIANCE_RATIO = "variance ratio"


def find_variance_ratio(setting: Setting) -> tuple[Finding, ...]:
    """Compare how far outcomes vary in the two arms, what was foreseen taken out.

    An effect that is the same for everyone moves all outcomes and leaves their
    variance alone, so a ratio other than 1 says that effects differ, along
    whatever; a ratio of 1 does not say that they are the same. The interval is on
    the log scale. A binary outcome's variance follows from its mean: nothing.
    """
    scores = setting.scores
    if setting.scale.binary:
        return ()
    either = setting.either
    found = variance_ratio(
        y=scores.y[either], z=scores.z[either], cluster=scores.cluster[either], weights=1 / scores.own[either],
        h=None if scores.h is None else scores.h[either],
    )  # fmt: skip
    told = {"estimate": NAN, "notes": ("not assessable: fewer than three clusters in an arm, or no spread",)}
    if found.std_error > 0:
        low, high = found.interval(setting.confidence)
        has_p = found.df >= TOO_FEW_DF
        told = {
            "estimate": found.ratio, "std_error": found.ratio * found.std_error, "df": found.df, "df_num": 1.0,
            "statistic": found.statistic, "p_value": found.p_value if has_p else NAN, "conf_low": low,
            "conf_high": high, "notes": () if has_p else (FEW_DF,),
        }  # fmt: skip
    return (
        setting.finding(
            question="heterogeneity", quantity="variance of the outcome under the treatment over that under control",
            moderator=VARIANCE_RATIO, unit="", status="exploratory", **told, **setting.counts(either),
        ),
    )  # fmt: skip
