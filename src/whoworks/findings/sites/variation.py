"""How far the effect differs between sites, what a new site may expect, and when neither can be told.

Students assigned within sites: each site's own difference between arms, with
one pooled variance of the outcome, and a random-effects meta-analysis of them.
Whole classes assigned within sites: the same with a class term, and only where
the data tell classes from sites. Sites of one arm: nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whoworks.design.design import divide_by_probability
from whoworks.design.levels import STUDENT
from whoworks.findings.finding import Finding
from whoworks.findings.setting import Setting
from whoworks.inference.meta import RandomEffects, random_effects
from whoworks.inference.variance_components import VarianceComponents, count_replicated, fit_variance_components
from whoworks.language import plural

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEWEST_SITES = 5  # with both arms: four degrees of freedom between them, as for every other p and range
REPLICATED_SITES = 10  # with two classes in some arm: below, how far classes differ is not known well enough
INSEPARABLE = "and sites cannot be told apart"
UNITS_TO_SHOW = 10  # in each arm of a site: below, its own effect would speak of a handful of students
VARIATION = "SD of the effect between sites"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the units compared are: sites, blocks within them, and what carried the arm.

    keep : (n,) the units of either arm of the contrast; the other arrays have one entry per unit kept
    block : codes of block, site and probability of the arm together: within them assignment was by lot
    carrier : codes of what was assigned as a whole, within its block; None where students were
    """

    keep: Mask
    z: Vector
    site: Codes
    block: Codes
    carrier: Codes | None

    @property
    def complete(self) -> Codes:
        """The sites in which some block holds both arms."""
        treated = np.bincount(self.block, self.z) / np.bincount(self.block)
        return np.unique(self.site[(treated[self.block] > 0) & (treated[self.block] < 1)])


def find_site_variation(setting: Setting) -> tuple[Finding, ...]:
    """Estimate how far the effect differs between sites, and what to expect of a new one.

    Where it can be told: tau with its interval (question "site-variation", level
    ""), the larger sites' effects drawn towards the mean, in order of size and
    without a name (level "1", "2", ...), and the sites' mean effect (Knapp &
    Hartung) with the prediction interval of one new site ("new-site"). Where it
    cannot: one finding whose note says why. Where the plan names no site: none.

    With classes that carry the arm, tau is given only if the design tells classes
    from sites (`why_not`) and the data do: the interval must leave 0 out. A tau
    whose interval holds 0 is compatible with sites that differ through nothing
    but their teachers.
    """
    if setting.scores.site is None:
        return ()
    places = locate(setting)
    why = why_not(setting, places)
    if why:
        return (_not_told(setting, places, why),)
    fit = _fit(setting, places)
    if places.carrier is not None and not fit.leaves_out_zero(setting.confidence):
        return (_not_told(setting, places, _classes_alone(setting)),)
    among = random_effects(estimate=fit.estimate, variance=fit.variance)
    limits, how = among.tau_interval(setting.confidence), "interval by Q-profile"
    if places.carrier is not None:
        level = setting.design.assigned_level
        limits, how = fit.tau_interval(setting.confidence), f"interval by profile likelihood, with a {level} term"
    return (
        _spread(setting, places, among, limits, how), *_shrunken(setting, places, among, fit),
        _new_site(setting, places, among),
    )  # fmt: skip


def locate(setting: Setting) -> Places:
    """Return where the units of the contrast are."""
    scores, design = setting.scores, setting.design
    assert scores.site is not None
    keep = setting.either
    place = design.places(scores.rows)[keep]
    site, block = scores.site[keep], divide_by_probability(scores.block[keep], scores.e[keep])
    block = _cross(block, site)
    carrier = None if design.assigned_level == STUDENT else _cross(design.assigned[place], block)
    return Places(keep=keep, z=scores.z[keep], site=site, block=block, carrier=carrier)


def why_not(setting: Setting, places: Places) -> str:
    """Return why the spread between sites cannot be estimated, as far as the design alone says; "" where it can.

    Where classes carry the arm it takes 10 or more sites with two classes in
    some arm: a site's difference holds its own effect and its classes' levels,
    and only classes of the same site and arm show how far levels differ.
    """
    sites, word = plural(setting.design.site_level), setting.design.site_level
    n_complete = len(places.complete)
    if not n_complete:
        return f"how far effects differ between {sites} cannot be estimated: each {word} has one arm only"
    if n_complete < FEWEST_SITES:
        found = f"{n_complete} {word if n_complete == 1 else sites}"
        return f"{found} with both arms, where {FEWEST_SITES} or more are needed"
    if not setting.scale.sd > 0:
        return "the outcome does not vary"
    if places.carrier is None:
        return ""
    n_replicated = count_replicated(site=places.site, z=places.z, carrier=places.carrier)
    if n_replicated >= REPLICATED_SITES:
        return ""
    carriers = plural(setting.design.assigned_level)
    return (
        f"{_who(setting)} {INSEPARABLE}: {sites} with two {carriers} in the same arm number {n_replicated}, and it "
        f"takes {REPLICATED_SITES} to learn how far {carriers} differ of their own"
    )


def _classes_alone(setting: Setting) -> str:
    """Say that the fit with a class term leaves nothing that must be the sites'."""
    carriers, sites = plural(setting.design.assigned_level), plural(setting.design.site_level)
    return (
        f"{_who(setting)} {INSEPARABLE}: differences between {carriers} of the same arm are so large that they may "
        f"account for all of the differences between {sites}, so no spread of the effect between {sites} is given"
    )


def _who(setting: Setting) -> str:
    level = setting.design.assigned_level
    return "teachers" if level in ("class", "classroom") else plural(level)


def _fit(setting: Setting, places: Places) -> VarianceComponents:
    """Fit the sites' effects; the prognosis is a covariate, its mean by class apart where classes carry the arm."""
    h, covariates = setting.scores.h, None
    if h is not None:
        covariates = h[places.keep][:, None]
        if places.carrier is not None:
            mean = (np.bincount(places.carrier, covariates[:, 0]) / np.bincount(places.carrier))[places.carrier]
            covariates = np.column_stack([mean, covariates[:, 0] - mean])
    return fit_variance_components(
        y=setting.scores.y[places.keep], z=places.z, site=places.site, block=places.block,
        carrier=places.carrier, covariates=covariates,
    )  # fmt: skip


def _spread(setting: Setting, places: Places, among: RandomEffects, limits: tuple[float, float], how: str) -> Finding:
    return setting.finding(
        question="site-variation", quantity=VARIATION, status="descriptive", df_num=float(len(among.estimate) - 1),
        notes=(how,), **_scaled(setting, among.tau, *limits), **setting.counts(places.keep),
    )  # fmt: skip


def _shrunken(setting: Setting, places: Places, among: RandomEffects, fit: VarianceComponents) -> tuple[Finding, ...]:
    """Return the effect of each site large enough to show, smallest first and unnamed.

    `n_units` and clusters count all sites, which every such estimate draws upon;
    `smallest_cell` is the site's own smaller arm.
    """
    drawn, error = among.shrunken()
    own = np.array([_smaller_arm(places, site) for site in fit.site])
    shown = [j for j in np.argsort(drawn, kind="stable") if own[j] >= UNITS_TO_SHOW]
    half = float(stats.t.ppf(0.5 + setting.confidence / 2, among.df)) * error
    counts = setting.counts(places.keep)
    return tuple(
        setting.finding(
            question="site-variation", quantity="effect in one site, drawn towards the mean of all",
            level=str(rank), status="descriptive", std_error=setting.scale.times * float(error[j]), df=among.df,
            **_scaled(setting, drawn[j], drawn[j] - half[j], drawn[j] + half[j]),
            **(counts | {"smallest_cell": int(own[j])}),
        )
        for rank, j in enumerate(shown, start=1)
    )  # fmt: skip


def _new_site(setting: Setting, places: Places, among: RandomEffects) -> Finding:
    fields = _scaled(setting, among.mean, *among.new_site(setting.confidence))
    return setting.finding(
        question="new-site", quantity="effect in a new site like these", status="descriptive",
        std_error=setting.scale.times * among.std_error, df=among.df,
        notes=("prediction interval of one new site, around the mean over sites, their spread not taken as known",),
        **fields, **setting.counts(places.keep),
    )  # fmt: skip


def _not_told(setting: Setting, places: Places, why: str) -> Finding:
    return setting.finding(
        question="site-variation", quantity=VARIATION, status="descriptive", credibility="not assessable",
        notes=(why,), **setting.counts(places.keep),
    )  # fmt: skip


def _scaled(setting: Setting, estimate: float, low: float, high: float) -> dict[str, object]:
    """Return an estimate and its limits in the outcome's unit and in SD."""
    times, size = setting.scale.times, setting.scale.difference
    return {
        "estimate": times * float(estimate), "conf_low": times * float(low), "conf_high": times * float(high),
        "effect_size": float(size(estimate)), "effect_size_low": float(size(low)),
        "effect_size_high": float(size(high)), "sd_used": setting.scale.name,
    }  # fmt: skip


def _smaller_arm(places: Places, site: np.generic) -> int:
    treated = places.z[places.site == site]
    return int(min(treated.sum(), len(treated) - treated.sum()))


def _cross(*codes: Codes) -> Codes:
    """Return the combinations of several codes as one."""
    return np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
