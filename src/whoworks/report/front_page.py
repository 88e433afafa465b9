"""The first page: the answer, how sure, for whom, what cannot be said, what to test next; bounded, so that it fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from whoworks.checks.verdict import Verdict
from whoworks.findings.finding import Finding
from whoworks.report.amounts import detectable, in_percentiles, level_word, places_of, unit_word
from whoworks.report.disclosure import Released
from whoworks.report.document import Column, FrontPage, Row, Table, Tile
from whoworks.report.labels import Words, capital, outcome_of, plural, shorten
from whoworks.report.next_study import propose
from whoworks.report.numbers import count, fixed, p_value, percentile_points, span
from whoworks.report.phrases import is_slope, p_name
from whoworks.report.selection import Selection
from whoworks.report.sentences import tell
from whoworks.report.states import State, read_p, read_state
from whoworks.report.tables import DASH, estimate_cell

MOST_CLAIMS = 5
LONG, SENTENCE, CLAIM = 150, 420, 62


def compose_front_page(released: Released, chosen: Selection, words: Words) -> FrontPage:
    """Return the first page."""
    plan = released.evidence.plan
    registered = f", registered {plan.study.registered.isoformat()}" if plan.study.registered else ""
    claims = find_claims(chosen.planned)
    return FrontPage(
        kicker=f"{'Matched comparison' if words.matched else 'Randomised study'}{registered}",
        question=shorten(plan.study.question, 2 * LONG),
        answer=tell_answer(chosen, words),
        tiles=make_tiles(chosen.main, words),
        how_sure=tell_how_sure(released, chosen, words),
        cannot_say=tell_limits(chosen, words),
        for_whom=claims_table(claims[:MOST_CLAIMS], chosen.planned, words) if claims else None,
        for_whom_text=tell_claims(claims, words),
        next_test=tuple(shorten(text, SENTENCE) for text in propose(released.evidence.findings, words, chosen.main)),
        foot=f"Groups of {released.rule.sentence} are withheld throughout.",
    )


def tell_answer(chosen: Selection, words: Words) -> tuple[str, ...]:
    """Return the answer, and one sentence for each further primary outcome or treatment, at most three in all."""
    if chosen.main is None:
        return ("No average effect was estimated; the sections that follow say why.",)
    others = [f for f in chosen.averages if f is not chosen.main and is_headline(f)]
    return tuple(shorten(tell(finding, words, notes=False), SENTENCE + LONG) for finding in (chosen.main, *others[:1]))


def is_headline(finding: Finding) -> bool:
    """Whether an average answers a primary question."""
    return finding.weighting == "student" and finding.estimand == "itt" and finding.status == "confirmatory"


def make_tiles(main: Finding | None, words: Words) -> tuple[Tile, ...]:
    """Return the answer's three numbers: outcome units, SD and percentile points."""
    if main is None or main.suppressed or math.isnan(main.estimate):
        return ()
    places = places_of(main, words)
    tiles = [
        Tile(
            value=fixed(main.estimate, places),
            unit=f"{unit_word(main, words)}, {shorten(words.short_outcome(outcome_of(main)), 30)}",
            range=f"{level_word(main)} {span(main.conf_low, main.conf_high, places)}",
        )
    ]
    if math.isfinite(main.effect_size):
        low, high = main.effect_size_low, main.effect_size_high
        tiles.append(Tile(value=fixed(main.effect_size, 2), unit="standard deviations", range=span(low, high, 2)))
    if in_percentiles(main):
        ends = [percentile_points(size) for size in (main.effect_size, main.effect_size_low, main.effect_size_high)]
        tiles.append(Tile(value=fixed(ends[0], 0), unit="percentile points", range=span(ends[1], ends[2], 0)))
    return tuple(tiles)


def tell_how_sure(released: Released, chosen: Selection, words: Words) -> tuple[str, ...]:
    """Say what the answer rests on: clusters, checks, and the gravest caveats."""
    said: list[str] = []
    main = chosen.main
    if main is not None and not main.suppressed:
        treatment, control = words.arms_of(main.contrast)
        noun = plural(words.cluster(main.cluster))
        arms = f"{count(main.n_treated_clusters)} {treatment}, {count(main.n_control_clusters)} {control}"
        stood = "" if noun == "students" else f", not {count(main.n_units)} students as if each stood alone"
        said.append(shorten(f"The range counts {words.clusters(main.n_clusters, main.cluster)} ({arms}){stood}.", 240))
    said.append(tell_checks(released, words))
    grave = [caveat for caveat in released.evidence.caveats if caveat.gravity == 1] or released.evidence.caveats[:1]
    said += [shorten(caveat.sentence, SENTENCE) for caveat in grave[:2]]
    rest = len(released.evidence.caveats) - len(grave[:2])
    return (*said, f"{rest} further caveats follow in the report.") if rest > 1 else tuple(said)


def tell_checks(released: Released, words: Words) -> str:
    """Count the checks by verdict and name those that did not pass."""
    checks = released.evidence.checks
    passed = sum(check.verdict is Verdict.PASS for check in checks)
    raised = [check for check in checks if check.verdict in (Verdict.WARN, Verdict.FAIL, Verdict.ERROR)]
    silent = sum(check.verdict is Verdict.NOT_ASSESSABLE for check in checks)
    text = f"Of {count(len(checks))} checks of the design, {count(passed)} passed"
    text += f", {count(silent)} could not be judged" if silent else ""
    if not raised:
        return f"{text} and none raised a concern."
    times = Counter(words.check(check.check_id).lower() for check in raised)
    named = [name if n == 1 else f"{name} ({n})" for name, n in times.items()]
    return shorten(f"{text}; {count(len(raised))} raised a concern: {', '.join(named)}.", 260)


def find_claims(planned: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return one finding per planned claim: the joint test where a moderator has one, else its difference."""
    tested = [f for f in planned if f.question in ("difference", "joint") and f.weighting == "student"]
    joint = {(f.moderator, f.outcome, f.wave) for f in tested if f.question == "joint"}
    return tuple(f for f in tested if f.question == "joint" or (f.moderator, f.outcome, f.wave) not in joint)


def claims_table(claims: tuple[Finding, ...], planned: tuple[Finding, ...], words: Words) -> Table:
    """Return the planned claims: the difference with its range, never two p-values, and the grade."""
    units = {unit_word(finding, words) for finding in claims}
    unit = f", {units.pop()}" if len(units) == 1 else ""
    return Table(
        caption="",
        columns=(
            Column(head=f"Planned question: does the {words.effect} differ ...", share=2.6),
            Column(head=f"Difference in {words.effect}{unit} (range)", align="right", share=2.1),
            Column(head="Could detect", align="right", share=0.85),
            Column(head="Credibility", share=0.95),
        ),
        rows=tuple(claim_row(finding, planned, words) for finding in claims),
    )


def claim_row(finding: Finding, planned: tuple[Finding, ...], words: Words) -> Row:
    """Return one claim."""
    told = estimate_cell(finding, words)
    if finding.question == "joint" and not finding.suppressed and math.isfinite(finding.statistic):
        told = tell_groups(finding, planned, words)
    based = "" if finding.suppressed else f"; {words.clusters(finding.n_clusters, finding.cluster)}"
    could = DASH if math.isnan(finding.mde) else fixed(finding.mde, places_of(finding, words))
    return Row(cells=(claim_words(finding, words), told + based, could, capital(finding.credibility) or DASH))


def tell_groups(joint: Finding, planned: tuple[Finding, ...], words: Words) -> str:
    """Write the span of the groups' effects beside their joint test, so that no p stands alone."""
    groups = [f for f in planned if f.question == "subgroup" and f.moderator == joint.moderator]
    known = [f for f in groups if outcome_of(f) == outcome_of(joint) and math.isfinite(f.estimate)]
    test = p_value(read_p(joint), name=p_name(joint))
    if not known:
        return f"joint test, {test}"
    low, high = min(known, key=lambda f: f.estimate), max(known, key=lambda f: f.estimate)
    places = min(places_of(low, words), places_of(high, words))
    return f"{words.effect}s from {span(low.estimate, high.estimate, places)}, joint {test}"


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
    rest = len(claims) - MOST_CLAIMS
    more = f" {count(rest)} more planned questions are in the report." if rest > 0 else ""
    large = [f for f in good if read_state(f, words) is not State.NO_MEANINGFUL]
    left = len(claims) - len(good)
    others = ("", " The other is not settled.")[left] if left < 2 else " The others are not settled."
    if large:
        named = " and ".join(shorten(words.moderator(f.moderator), CLAIM) for f in large[:2])
        return f"The difference by {named} carries weight.{others}{more}"
    if good:
        named = " and ".join(shorten(words.moderator(f.moderator), CLAIM) for f in good[:2])
        return f"The difference by {named} is there, but smaller than the plan calls meaningful.{others}{more}"
    small = [f for f in claims if read_state(f, words) is State.NO_MEANINGFUL]
    if small:
        per = (
            f"{shorten(words.moderator(f.moderator), CLAIM)}{' (for each SD more)' * is_slope(f)}" for f in small[:2]
        )
        named = " and ".join(per)
        more = f" By {named}, the range leaves no room for a difference that the plan calls meaningful.{more}"
    none = "None of these differences is" if len(claims) > 1 else "This difference is not"
    return f"{none} established: the {words.effect} may or may not be the same for all.{more}"


def tell_limits(chosen: Selection, words: Words) -> tuple[str, ...]:
    """Say what this study cannot tell, at most four sentences."""
    said = ["What holds for any one student: every number is an average over a group."]
    claims = find_claims(chosen.planned)
    silent = [f for f in claims if read_state(f, words) in (State.WITHHELD, State.NOT_ASSESSABLE)]
    if silent:
        named = ", ".join(dict.fromkeys(shorten(words.moderator(f.moderator), 40) for f in silent[:3]))
        said.append(f"Anything about {named}: too few students or {plural(words.cluster())} stand behind it.")
    unsure = [f for f in claims if read_state(f, words) is State.INCONCLUSIVE]
    if unsure:
        names = list(dict.fromkeys(shorten(words.moderator(f.moderator), 40) for f in unsure[:3]))
        rest = len(unsure) - len(unsure[:3])
        names += [f"{rest} more"] if rest else []
        named = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
        said.append(f"Whether the {words.effect} differs by {named}: not knowing is no proof of sameness.")
    if chosen.main is not None and read_state(chosen.main, words) is State.INCONCLUSIVE:
        could = detectable(chosen.main, words)
        said.insert(0, f"Whether there is any {words.effect} at all{': ' + could if could else ''}.")
    return (*said[:3], "Whether other schools would see the same: these are the ones that took part.")
