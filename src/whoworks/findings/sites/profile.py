"""Who the sites of the study are: what their students are like, how sites differ, and how like a target they are.

Description throughout: nothing here is tested, and nothing says what the effect
would be elsewhere. Means count students equally, as the findings do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whoworks.design.levels import STUDENT
from whoworks.findings.finding import Finding
from whoworks.findings.searches.profiles import Trait, list_traits
from whoworks.findings.setting import Setting
from whoworks.inference.likeness import index_from_means, index_of_random_draw
from whoworks.language import plural
from whoworks.panel.panel import Panel
from whoworks.plan.target import Entry, Target

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

PROFILE, TARGET, INDEX = "site-profile", "target", "index"
BETWEEN = "between "  # begins the level of a row on how far sites differ, after the group's code where there is one
FEWEST_SITES = 10  # below, neither a spread between sites nor an index says much
SITES_PER_TRAIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """One trait over the units that have it.

    known : (n,) units of either arm with a value; site : (n,) codes
    mean : over students; by_site : mean of each site, NaN where none of its students has a value
    counts : a finding's counts of the units
    """

    trait: Trait
    known: Mask
    mean: float
    by_site: Vector
    counts: dict[str, object]

    @property
    def n_sites(self) -> int:
        """Sites with a value."""
        return int(np.isfinite(self.by_site).sum())

    @property
    def spread(self) -> float:
        """SD of the sites' means; NaN with one site."""
        return float(np.nanstd(self.by_site, ddof=1)) if self.n_sites > 1 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far a trait's mean lies from the target's: `gap` in the trait's own unit, `spread` between sites.

    `is_given` : the spread is the target's, from the plan
    """

    portrait: Portrait
    gap: float
    spread: float
    is_given: bool

    @property
    def in_sd(self) -> float:
        """The gap in SD between sites; NaN where sites do not differ."""
        return self.gap / self.spread if self.spread > 0 else float("nan")


def find_site_profile(panel: Panel, setting: Setting) -> tuple[Finding, ...]:
    """Describe the sites by every moderator and pre-test, and hold them against the plan's target.

    Question "site-profile": the mean of a number, or the share of each group (of
    two groups, of the second), over the students analysed; beside it the SD of
    the sites' own means (level "between schools", `df` sites less one). Question
    "target", where the plan has one: mean minus the target's, with its size in SD
    between sites (the target's where given, else these sites'), and the index of
    `index_from_means` (level "index").
    """
    site = _site(panel, setting)
    portraits = [_portray(setting, trait, site) for trait in (*list_traits(panel, setting), *_pretests(panel, setting))]
    described = [finding for portrait in portraits for finding in _describe(panel, setting, portrait)]
    target = panel.plan.target
    return (*described, *(() if target is None else _compare(panel, setting, portraits, target, site)))


def place_word(panel: Panel) -> str:
    """Return what a site is called."""
    return panel.plan.place_level or STUDENT


def _site(panel: Panel, setting: Setting) -> Codes:
    level, rows = panel.plan.place_level, setting.scores.rows
    if level not in panel.units:
        return np.arange(len(rows), dtype=np.int64)
    return np.unique(panel.units[level].to_numpy(dtype=str)[rows], return_inverse=True)[1].astype(np.int64)


def _pretests(panel: Panel, setting: Setting) -> Iterator[Trait]:
    """Yield the pre-tests that are no moderators."""
    moderators = {moderator.name for moderator in panel.plan.moderators}
    names = [baseline.name for outcome in panel.plan.outcomes for baseline in outcome.baseline]
    for name in dict.fromkeys(names):
        if name not in moderators:
            values = panel.values[name].to_numpy(dtype=np.float64)[setting.scores.rows]
            yield Trait(moderator=name, code="", values=values)


def _portray(setting: Setting, trait: Trait, site: Codes) -> Portrait:
    known = setting.either & np.isfinite(trait.values)
    size = np.bincount(site[known], minlength=int(site.max()) + 1)
    total = np.bincount(site[known], trait.values[known], minlength=len(size))
    by_site = np.where(size > 0, total / np.maximum(size, 1), np.nan)
    mean = float(trait.values[known].mean()) if known.any() else float("nan")
    return Portrait(trait=trait, known=known, mean=mean, by_site=by_site, counts=_counts(setting, trait, known))


def _describe(panel: Panel, setting: Setting, portrait: Portrait) -> Iterator[Finding]:
    trait, word = portrait.trait, plural(place_word(panel))
    counts = portrait.counts
    yield setting.finding(
        question=PROFILE, quantity="share of students" if trait.is_share else "mean over students", level=trait.code,
        **(_shared(trait) | {"estimate": _times(trait) * portrait.mean} | counts),
    )  # fmt: skip
    if word != plural(STUDENT) and portrait.n_sites > 1:
        fewest = min(int(str(counts["smallest_cell_clusters"])), portrait.n_sites)
        yield setting.finding(
            question=PROFILE, quantity=f"SD of the {word}' own {'shares' if trait.is_share else 'means'}",
            level=f"{trait.code}: {BETWEEN}{word}" if trait.is_share else f"{BETWEEN}{word}",
            **(_shared(trait) | {"estimate": _times(trait) * portrait.spread, "df": float(portrait.n_sites - 1)}),
            **(counts | {"smallest_cell_clusters": fewest}),
        )  # fmt: skip


def _compare(
    panel: Panel, setting: Setting, portraits: list[Portrait], target: Target, site: Codes
) -> Iterator[Finding]:
    """Yield the difference from the target in each trait of which the plan knows the mean, and the index."""
    distances = [distance for distance in (_measure(portrait, target) for portrait in portraits) if distance]
    for distance in distances:
        trait = distance.portrait.trait
        yield setting.finding(
            question=TARGET, quantity="mean or share minus the target's", level=trait.code, reference=target.name,
            effect_size=distance.in_sd,
            sd_used=f"SD between {plural(place_word(panel))}" + (", of the target" if distance.is_given else ""),
            **(_shared(trait) | {"estimate": _times(trait) * distance.gap} | distance.portrait.counts),
        )  # fmt: skip
    yield setting.finding(
        question=TARGET, quantity="generalisability index from means", level=INDEX, reference=target.name, unit="",
        status="descriptive", **_index(panel, setting, _independent(distances, target), site),
        **setting.counts(setting.either),
    )  # fmt: skip


def _measure(portrait: Portrait, target: Target) -> Distance | None:
    """Return how far a trait's mean lies from the target's; None where either is not known."""
    name = portrait.trait.moderator
    mean = _entry(target.means.get(name), portrait.trait, is_share=True)
    if mean is None or not portrait.known.any():
        return None
    given = _entry(target.sds.get(name), portrait.trait, is_share=False)
    return Distance(
        portrait=portrait, gap=portrait.mean - mean, is_given=given is not None,
        spread=portrait.spread if given is None else given,
    )  # fmt: skip


def _independent(distances: list[Distance], target: Target) -> list[Distance]:
    """Leave out the first share of a category whose shares are all known: the others tell it."""
    kept, seen = [], set()
    for distance in distances:
        trait = distance.portrait.trait
        entry = target.means[trait.moderator]
        is_whole = isinstance(entry, dict) and len(entry) == trait.n_groups > 2
        if not is_whole or trait.moderator in seen:
            kept.append(distance)
        seen.add(trait.moderator)
    return kept


def _index(panel: Panel, setting: Setting, distances: list[Distance], site: Codes) -> dict[str, object]:
    """Return the index over all traits that can be compared, and what a random draw of as many sites would reach."""
    word = plural(place_word(panel))
    told = [distance for distance in distances if distance.spread > 0 and distance.portrait.spread > 0]
    size = np.bincount(site[setting.either]).astype(np.float64)
    n_sites, needed = int((size > 0).sum()), max(FEWEST_SITES, SITES_PER_TRAIT * len(told) + 1)
    fields: dict[str, object] = {"df_num": float(len(told))}
    if not told:
        return fields | {"notes": (f"nothing that the target's means tell of differs between {word}",)}
    if n_sites < needed:
        return fields | {"notes": (f"{n_sites} {word}, where an index over {len(told)} traits takes {needed}",)}
    index = index_from_means(difference=np.array([each.gap for each in told]), covariance=_covariance(told))
    if not np.isfinite(index):
        return fields | {"notes": ("some of the traits follow from the others",)}
    by_chance = index_of_random_draw(n_sites=float(size.sum() ** 2 / (size**2).sum()), n_traits=len(told))
    notes = [f"{len(distances) - len(told)} left out, alike in all {word}"] if len(told) < len(distances) else []
    if np.isfinite(by_chance):
        notes.insert(0, f"a random draw of {n_sites} {word} would score {by_chance:.2f} or more 19 times in 20")
    return fields | {"estimate": index, "notes": tuple(notes)}


def _covariance(distances: list[Distance]) -> Vector:
    """Return the traits' covariance between sites: these sites' correlations, and the spreads that distances are in."""
    means = np.column_stack([distance.portrait.by_site for distance in distances])
    known = means[np.isfinite(means).all(axis=1)]
    spread = np.array([distance.spread for distance in distances])
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.atleast_2d(np.corrcoef(known, rowvar=False))
    covariance: Vector = correlation * np.outer(spread, spread)
    return covariance


def _entry(entry: Entry | None, trait: Trait, *, is_share: bool) -> float | None:
    """Return what the plan knows of a trait; of two groups either one's number tells the other's."""
    if not isinstance(entry, dict):
        return entry
    if trait.code in entry or trait.n_groups > 2 or len(entry) != 1:
        return entry.get(trait.code)
    (other,) = entry.values()
    return 1 - other if is_share else other


def _shared(trait: Trait) -> dict[str, object]:
    return {
        "moderator": trait.moderator, "status": "descriptive",
        "unit": "percentage points" if trait.is_share else "moderator",
    }  # fmt: skip


def _times(trait: Trait) -> float:
    return 100.0 if trait.is_share else 1.0


def _counts(setting: Setting, trait: Trait, known: Mask) -> dict[str, object]:
    """Count as elsewhere, and let the smallest group of a category in an arm be the smallest cell."""
    counts = setting.counts(known)
    arms = (setting.treated, setting.control)
    own = min(trait.smallest_group(known & arm) for arm in arms)
    return counts | {"smallest_cell": min(int(str(counts["smallest_cell"])), own)}
