"""How precise the average is, and under which choices: with and without the prognosis, by cluster and by block."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Standard errors of one outcome's average effect (student weighting), in the outcome's units.

    `std_error` is the one reported; `std_error_unadjusted` leaves the prognosis out;
    `std_error_by_block` counts whole blocks instead of clusters (NaN where there are
    none), `block_level` being the blocks' level. `share_explained` is the share of
    the outcome's left-out variance that the prognosis removes; `learner` its name in
    plain words ("ridge regression", "gradient boosting", "none"); `rule` says, in a
    sentence, why the prognosis was or was not used.
    """

    outcome: str
    contrast: str
    learner: str
    rule: str
    share_explained: float
    std_error: float
    std_error_unadjusted: float
    std_error_by_block: float
    cluster_level: str
    block_level: str
