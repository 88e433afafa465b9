"""What [target] must agree on with the rest of the plan, and with itself."""

from __future__ import annotations

from collections.abc import Iterator

from whoworks.plan.contents import Contents
from whoworks.plan.mistakes import closest, objection
from whoworks.plan.toml import write_line

ROUNDING = 0.011  # published shares are rounded: what all of a column's shares may miss 1 by


def breaches_of_target(plan: Contents) -> Iterator[str]:
    """Tell what is not of a moderator or pre-test, or not a number that can be meant."""
    target = plan.target
    if target is None:
        return
    if not target.means:
        yield objection(["target", "means"], "it names no column, so nothing can be compared")
    kinds = comparable(plan)
    for key, entries in (("means", target.means), ("sds", target.sds)):
        for name, entry in entries.items():
            place = ["target", key, name]
            if name not in kinds:
                near = closest(name, kinds)
                listed = ", ".join(kinds) or "none"
                problem = f"'{name}' is neither a moderator nor a pre-test of this plan, which has {listed}"
                yield objection(place, problem, write_line(near, entry) if near else "")
            elif (kinds[name] == "category") != isinstance(entry, dict):
                wanted = "one number for each group" if kinds[name] == "category" else "one number"
                yield objection(place, f"'{name}' is a {kinds[name]}, so its entry is {wanted}")
    yield from breaches_of_shares(plan)


def breaches_of_shares(plan: Contents) -> Iterator[str]:
    """Tell shares that are none or exceed 1 together, and spreads that are not above 0 or lack a mean."""
    assert plan.target is not None
    groups = {m.name: list(m.values) for m in plan.moderators if m.values}
    for name, entry in plan.target.means.items():
        if not isinstance(entry, dict):
            continue
        place, total = ["target", "means", name], sum(entry.values())
        is_whole = name in groups and set(groups[name]) <= set(entry)
        if not all(0 <= share <= 1 for share in entry.values()):
            yield objection(place, "a share lies between 0 and 1; 45 in 100 are written 0.45")
        elif total > 1 + ROUNDING or (is_whole and total < 1 - ROUNDING):
            yield objection(place, f"the shares of all groups sum to 1, and these sum to {total:.4g}")
        for code in entry:
            if name in groups and code not in groups[name]:
                yield objection(place, f"'{code}' is not among the values {', '.join(groups[name])}")
    for name, entry in plan.target.sds.items():
        place = ["target", "sds", name]
        if not all(spread > 0 for spread in (entry.values() if isinstance(entry, dict) else (entry,))):
            yield objection(place, "a standard deviation is above 0")
        mean = plan.target.means.get(name)
        if mean is None:
            yield objection(place, f"'{name}' has no mean under means, so its spread compares nothing")
        elif isinstance(mean, dict) and isinstance(entry, dict) and not set(entry) <= set(mean):
            yield objection(place, "a group has a spread here and no share under means")


def comparable(plan: Contents) -> dict[str, str]:
    """Return the names that a target can say something of, each with its kind: moderators, then pre-tests."""
    kinds: dict[str, str] = {moderator.name: moderator.kind for moderator in plan.moderators}
    for outcome in plan.outcomes:
        for baseline in outcome.baseline:
            kinds.setdefault(baseline.name, "number")
    return kinds
