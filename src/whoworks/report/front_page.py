"""The first page: the answer, how sure, for whom, what cannot be said, what to test next; bounded, so that it fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from whoworks.checks.verdict import Check, Verdict
from whoworks.checks.wording import in_words, written_p
from whoworks.findings.caveats.takeup import READINGS
from whoworks.findings.finding import Finding
from whoworks.findings.searches.exploration import PREDICTED
from whoworks.findings.searches.omnibus import ALL_MODERATORS
from whoworks.language import listed, plural
from whoworks.report.amounts import (
    SD_PLACES,
    amount,
    detectable,
    in_percentiles,
    level_word,
    places_of,
    reach,
    unit_word,
)
from whoworks.report.answer import tell_answer
from whoworks.report.disclosure import Released
from whoworks.report.document import Column, FrontPage, Row, Table, Tile
from whoworks.report.labels import DIFFERED, Words, capital, outcome_of, shorten
from whoworks.report.next_study import propose
from whoworks.report.numbers import count, fixed, percent, range_of
from whoworks.report.phrases import between, effect_of, is_slope, p_name
from whoworks.report.selection import Selection
from whoworks.report.states import State, is_settled, read_p, read_state
from whoworks.report.tables import DASH, estimate_cell, tell_ranges

MOST_CLAIMS = 5
MOST_GROUPS = 6
MOST_GRAVE = 3  # caveats on the first page
SILENT, OPEN = (State.WITHHELD, State.NOT_ASSESSABLE), (State.INCONCLUSIVE, State.SUGGESTIVE)
LONG, SENTENCE, CLAIM, GROUP = 150, 420, 62, 24


def compose_front_page(released: Released, chosen: Selection, words: Words) -> FrontPage:
    """Return the first page."""
    plan = released.evidence.plan
    registered = f", registered {plan.study.registered.isoformat()}" if plan.study.registered else ""
    claims = find_claims(chosen.planned)
    return FrontPage(
        kicker=f"{'Matched comparison' if words.matched else 'Randomised study'}{registered}",
        question=shorten(plan.study.question, 2 * LONG),
        answer=tell_answer(released, chosen, words),
        tiles=make_tiles(chosen.main, words),
        how_sure=tell_how_sure(released, chosen, words),
        cannot_say=tell_limits(chosen, words),
        for_whom=claims_table(claims[:MOST_CLAIMS], chosen.planned, words) if claims else None,
        for_whom_text=tell_claims(claims, words)
        + tell_signs(chosen, words, is_told=any(read_state(f) is State.CLEAR for f in claims)),
        next_test=tuple(shorten(text, SENTENCE) for text in propose(released.evidence.findings, words, chosen.main)),
        foot=f"Groups of {released.rule.sentence} are withheld throughout.",
    )


def make_tiles(main: Finding | None, words: Words) -> tuple[Tile, ...]:
    """Return the answer's numbers: outcome units, SD, and percentile points of what is no yes-or-no outcome."""
    if main is None or main.suppressed or math.isnan(main.estimate):
        return ()
    places = places_of(main, words)
    several = f": {words.arms_of(main.contrast)[0]}" if len(words.plan.arms.treatments) > 1 else ""
    ends = range_of(main.conf_low, main.conf_high, places)
    tiles = [
        Tile(
            value=fixed(main.estimate, places),
            unit=f"{unit_word(main, words)}, {shorten(words.short_outcome(outcome_of(main)) + several, CLAIM)}",
            range=f"{level_word(main)} {ends}" if ends else "",
        )
    ]
    if math.isfinite(main.effect_size):
        ends = range_of(main.effect_size_low, main.effect_size_high, SD_PLACES)
        unit = "standard deviations" + " (Cox index)" * words.is_binary(outcome_of(main))
        tiles.append(Tile(value=fixed(main.effect_size, SD_PLACES), unit=unit, range=ends))
    moved = in_percentiles(main, words)
    if moved is not None:
        tiles.append(Tile(value=fixed(moved[0], 0), unit="percentile points", range=range_of(*moved[1:], 0)))
    return tuple(tiles)


def tell_how_sure(released: Released, chosen: Selection, words: Words) -> tuple[str, ...]:
    """Say what the answer rests on: clusters, checks, and the gravest caveats."""
    said: list[str] = []
    main = chosen.main
    if main is not None and not main.suppressed:
        noun = plural(words.cluster(main.cluster))
        stood = "" if noun == "students" else f", not {count(main.n_units)} students as if each stood alone"
        counted = f"{words.clusters(main.n_clusters, main.cluster)}{tell_arms(main, words)}"
        which = "first range" if len(words.plan.arms.treatments) > 1 else "range"
        said.append(shorten(f"The {which} counts {counted}{stood}.", 240))
    said.append(tell_checks(released, words))
    caveats = [caveat for caveat in released.evidence.caveats if caveat.caveat_id not in READINGS]
    grave = [caveat for caveat in caveats if caveat.gravity == 1]
    shown = grave[:MOST_GRAVE] or caveats[:1]
    said += [shorten(capital(caveat.sentence), SENTENCE) for caveat in shown]
    rest, as_grave = len(caveats) - len(shown), len(grave[MOST_GRAVE:])
    if rest == 1:
        return (*said, f"One further caveat{', as grave,' if as_grave else ''} follows in the report.")
    also = f", {count(as_grave)} of them as grave" if as_grave else ""
    return (*said, f"{rest} further caveats follow in the report{also}.") if rest > 1 else tuple(said)


def tell_arms(main: Finding, words: Words) -> str:
    """Say how many clusters each arm has, and how many hold both."""
    treatment, control = words.arms_of(main.contrast)
    both = main.n_treated_clusters + main.n_control_clusters - main.n_clusters
    if both == main.n_clusters:
        return ", each with students of both arms"
    held = f"; {count(both)} with both" if both > 0 else ""
    return f" ({count(main.n_treated_clusters)} {treatment}, {count(main.n_control_clusters)} {control}{held})"


def tell_checks(released: Released, words: Words) -> str:
    """Count the checks by verdict and name those that did not pass."""
    checks = released.evidence.checks
    passed = sum(check.verdict is Verdict.PASS for check in checks)
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    raised = [check for check in checks if check.verdict in (Verdict.WARN, Verdict.ERROR)]
    silent = sum(check.verdict is Verdict.NOT_ASSESSABLE for check in checks)
    text = f"Of {count(len(checks))} checks of the design, {count(passed)} passed"
    text += f", {count(silent)} could not be judged" if silent else ""
    if not failed and not raised:
        return f"{text} and none raised a concern."
    text += f". {count(len(failed))} failed: {name_concerns(failed, words)}" if failed else ""
    text += f". {count(len(raised))} raised a concern: {name_concerns(raised, words)}" if raised else ""
    return shorten(f"{text}.", SENTENCE)


def name_concerns(checks: Sequence[Check], words: Words) -> str:
    """Name what checks found, what several found once with their number, all traits in which arms differed together."""
    times = Counter(words.concern(check) for check in checks)
    named = {name: name if n == 1 else f"{name} ({n})" for name, n in times.items()}
    differing = [name for name in named if name.startswith(DIFFERED)]
    if differing:
        traits = listed([named[name].removeprefix(DIFFERED) for name in differing])
        named |= dict.fromkeys(differing, "") | {differing[0]: f"{DIFFERED}{traits}"}
    return "; ".join(filter(None, named.values()))


def find_claims(planned: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return one finding per planned claim: the joint test where a moderator has one, else its difference."""
    tested = [f for f in planned if f.question in ("difference", "joint") and f.weighting == "student"]
    joint = {(f.moderator, f.outcome, f.wave) for f in tested if f.question == "joint"}
    return tuple(f for f in tested if f.question == "joint" or (f.moderator, f.outcome, f.wave) not in joint)


def claims_table(claims: tuple[Finding, ...], planned: tuple[Finding, ...], words: Words) -> Table:
    """Return the planned claims: the difference with its range, never two p-values, and the grade."""
    units = {unit_word(finding, words) for finding in claims}
    unit = f", {units.pop()}" if len(units) == 1 else ""
    several = len({outcome_of(finding) for finding in claims}) > 1
    named = [f"; {words.short_outcome(outcome_of(f))}{'' if unit else ', ' + unit_word(f, words)}" for f in claims]
    return Table(
        caption="",
        columns=(
            Column(head=f"Planned question: does the {words.main_effect} differ ...", share=2.6),
            Column(head=f"Difference in {words.effect}{unit} (range)", align="right", share=2.1),
            Column(head="Could detect", align="right", share=0.85),
            Column(head="Credibility", share=0.95),
        ),
        rows=tuple(claim_row(f, planned, words, on * several) for f, on in zip(claims, named, strict=True)),
        note="Could detect: a difference this large, were it the only one asked about, would be found four times in "
        f"five. Credibility: from very low to high. {tell_ranges(claims)}".rstrip(),
    )


def claim_row(finding: Finding, planned: tuple[Finding, ...], words: Words, on: str = "") -> Row:
    """Return one claim; `on` names its outcome, where claims are of several."""
    told = estimate_cell(finding, words)
    if finding.question == "joint" and not finding.suppressed and math.isfinite(finding.statistic):
        told = tell_groups(finding, planned, words)
    counted = not finding.suppressed and finding.n_clusters > 0
    based = f"; {words.clusters(finding.n_clusters, finding.cluster)}" if counted else ""
    could = DASH if math.isnan(finding.mde) else fixed(finding.mde, places_of(finding, words))
    return Row(cells=(claim_words(finding, words) + on, told + based, could, capital(finding.credibility) or DASH))


def tell_groups(joint: Finding, planned: tuple[Finding, ...], words: Words) -> str:
    """Write the groups' estimates beside their joint test, so that no p stands alone."""
    test = f"tested together, {written_p(read_p(joint), name=p_name(joint))}"
    told = list_estimates(joint, planned, words)
    return f"{told}; {test}" if told else test


def list_estimates(joint: Finding, planned: tuple[Finding, ...], words: Words) -> str:
    """List the estimates of the groups that a joint test compares, each with its name; the two ends of many."""
    groups = [f for f in planned if f.question == "subgroup" and f.moderator == joint.moderator]
    same = [f for f in groups if (outcome_of(f), f.contrast) == (outcome_of(joint), joint.contrast)]
    known = [f for f in same if math.isfinite(f.estimate)]
    if len(known) < 2:
        return ""
    many = len(known) > MOST_GROUPS
    shown = [pick(known, key=lambda f: f.estimate) for pick in (min, max)] if many else known
    named = [shorten(words.level(f.moderator, f.level), GROUP) for f in shown]
    sizes = [fixed(f.estimate, places_of(f, words)) for f in shown]
    if many:
        return f"{words.effect}s in {count(len(known))} groups, from {sizes[0]} ({named[0]}) to {sizes[1]} ({named[1]})"
    return (
        f"{words.effect} in each group: {listed([f'{name} {size}' for name, size in zip(named, sizes, strict=True)])}"
    )


def claim_words(finding: Finding, words: Words) -> str:
    """Say what a claim compares, in few words."""
    named = shorten(words.moderator(finding.moderator), CLAIM)
    if finding.question == "joint":
        groups = int(finding.df_num) + 1 if finding.df_num >= 1 else 0
        return f"by {named} ({groups} groups)" if groups else f"by {named}"
    if is_slope(finding):
        return f"with {named} (for each SD more)"
    first, second = (shorten(words.level(finding.moderator, code), 40) for code in (finding.level, finding.reference))
    return f"by {named}: {first} minus {second}"


def tell_claims(claims: tuple[Finding, ...], words: Words) -> str:
    """Say how to read the grades, or that nothing was planned."""
    if not claims:
        return (
            "The plan names no group in advance, so no claim about groups is made here; what was explored is marked as "
            "such in the report."
        )
    good = [f for f in claims if f.credibility in ("high", "moderate")]
    rest = max(len(claims) - MOST_CLAIMS, 0)
    more = f" {count(rest)} more planned question{' is' if rest == 1 else 's are'} in the report." * (rest > 0)
    large = [f for f in good if read_state(f) is not State.NO_MEANINGFUL][:2]
    if large:
        return f"{' '.join(tell_claim(f, words) for f in large)}{tell_others(claims, large)}{more}"
    if good:
        named = " and ".join(shorten(words.moderator(f.moderator), CLAIM) for f in good[:2])
        said = f"The difference by {named} is there, but smaller than the plan calls meaningful."
        return f"{said}{tell_others(claims, good[:2])}{more}"
    small = [f for f in claims if read_state(f) is State.NO_MEANINGFUL]
    if small:
        per = (f"{shorten(words.moderator(f.moderator), CLAIM)}{' (one SD apart)' * is_slope(f)}" for f in small[:2])
        named = " and ".join(per)
        more = f" By {named}, the range leaves no room for a difference as large as the plan calls meaningful.{more}"
    none = "None of these differences is" if len(claims) > 1 else "This difference is not"
    return f"{none} established: the {words.main_effect} may or may not be the same for all.{more}"


def tell_others(claims: Sequence[Finding], told: Sequence[Finding]) -> str:
    """Say of the table's claims that have no sentence how many are told apart, are open, or could not be asked."""
    others = [read_state(f) for f in claims[:MOST_CLAIMS] if not any(f is each for each in told)]
    silent, left = (sum(state in kind for state in others) for kind in (SILENT, OPEN))
    graded = len(others) - silent - left
    said = ""
    if graded:
        own = "its grade, is" if graded == 1 else "their grades, are"
        said = f" {capital(in_words(graded))} more, with {own} in the table."
    for n, one, many in ((left, "is not settled", "are not settled"), (silent, "has no answer", "have no answer")):
        who = in_words(n) if n < len(others) else "the other" if n == 1 else "the others"
        said += f" {capital(who)} {one if n == 1 else many}." if n else ""
    return said


def tell_signs(chosen: Selection, words: Words, *, is_told: bool) -> str:
    """Say that exploration found effects to vary, where it did; `is_told` where a claim says so already."""
    asked = [f for f in chosen.heterogeneity if f.moderator in (ALL_MODERATORS, PREDICTED)]
    seen = [f for f in asked if read_state(f) is State.CLEAR and not f.estimate < 0]
    if not seen:
        return ""
    best = min(seen, key=read_p)
    saw = "Beyond that, exploration saw" if is_told else "Exploration saw"
    return (
        f" {saw} signs that {words.effect}s vary between students "
        f"({written_p(read_p(best), name=p_name(best))}); between whom is not settled."
    )


def tell_claim(claim: Finding, words: Words) -> str:
    """Say in one sentence which way a difference that can be trusted goes, and how large it is."""
    if claim.question == "joint":
        told = f"{effect_of(claim, words)} differs by {words.moderator(claim.moderator)}"
    else:
        larger = "larger" if claim.estimate >= 0 else "smaller"
        verb = "was" if is_settled(claim) else "may be"
        size = f"{amount(claim, words, size=True)} {larger} {between(claim, words)}"
        told = f"{effect_of(claim, words)} {verb} {size} ({level_word(claim)} {reach(claim, words)})"
    return shorten(capital(f"{told}; credibility {claim.credibility}."), SENTENCE)


def tell_limits(chosen: Selection, words: Words) -> tuple[str, ...]:
    """Say what this study cannot tell, at most four sentences."""
    said = ["What holds for any one student: every number is an average over a group."]
    claims, differs = find_claims(chosen.planned), f"Whether the {words.main_effect} differs by"
    silent = [f for f in claims if read_state(f) in SILENT]
    if silent:
        about = [f for f in (*chosen.planned, *chosen.explored) if f.moderator in {each.moderator for each in silent}]
        named = name_moderators(silent, claims, words)
        asked = "Anything about" if all(read_state(f) in SILENT for f in about) else differs
        said.append(f"{asked} {named}: {words.too_few()} stand behind it.")
    unsure = [f for f in claims if read_state(f) in OPEN]
    if unsure:
        said.append(f"{differs} {name_moderators(unsure, claims, words)}: not knowing is no proof of sameness.")
    if chosen.main is not None and read_state(chosen.main) is State.INCONCLUSIVE:
        could = detectable(chosen.main, words)
        said.insert(0, f"Whether there is any {words.main_effect} at all{': ' + could if could else ''}.")
    return (*said[:3], tell_elsewhere(chosen, words))


def name_moderators(some: Sequence[Finding], claims: Sequence[Finding], words: Words) -> str:
    """Name the moderators of some claims, three at most; with the outcome of which alone one is meant."""
    names: dict[str, None] = {}
    for name in dict.fromkeys(f.moderator for f in some):
        on = [words.short_outcome(outcome_of(f)) for f in some if f.moderator == name]
        only = f" (for {listed(on)})" if len(on) < sum(f.moderator == name for f in claims) else ""
        names[shorten(words.moderator(name), 40) + only] = None
    shown = [*list(names)[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])]
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]


def tell_elsewhere(chosen: Selection, words: Words) -> str:
    """Say what a place that took no part may expect; that it is open, where the sites could not be compared."""
    main, site = chosen.main, words.plan.design.site
    for new in chosen.sites:
        same = main is not None and (outcome_of(new), new.contrast) == (outcome_of(main), main.contrast)
        if same and new.question == "new-site" and not new.suppressed and math.isfinite(new.conf_low):
            low, high = (fixed(end, places_of(new, words)) for end in (new.conf_low, new.conf_high))
            return (
                f"Whether other {plural(site)} would see the same: in a new {site} like these, the {words.effect} is "
                f"expected between {low} and {high} {unit_word(new, words)} ({percent(new.conf_level, 1)} prediction "
                "interval)."
            )
    return f"Whether other {words.places} would see the same: these are the ones that took part."
