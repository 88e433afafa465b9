"""What [missing] must agree on with the rest of the plan: a code that names something is not missing."""

from __future__ import annotations

from collections.abc import Iterator

from whoworks.plan.contents import Contents
from whoworks.plan.mistakes import objection
from whoworks.plan.toml import write_line


def breaches_of_missing(plan: Contents) -> Iterator[str]:
    """Tell codes that the plan names an arm, a group, an answer or a wave by, and that mean missing there as well."""
    listed = list(dict.fromkeys(named_codes(plan)))
    taken = {code for _, code, _ in listed}
    rest = [code for code in plan.missing.codes if code not in taken]
    for column, code, named in listed:
        said = f"'{code}' stands for missing, and is also {named} of '{column}'"
        if code == "":
            yield objection(["missing"], f"an empty value is always missing, and is also {named} of '{column}'")
        elif code in plan.missing.codes:
            yield objection(["missing", "codes"], said, write_line("codes", rest))
        for other, codes in plan.missing.columns.items():
            if code in codes and plan.is_same(column, other):
                yield objection(["missing", "columns"], f"{said}. Take it out here, or there")


def named_codes(plan: Contents) -> Iterator[tuple[str, str, str]]:
    """Yield column, code and what the plan names by it."""
    yield from ((plan.arms.column, code, "an arm") for code in plan.arms.codes)
    for moderator in plan.moderators:
        yield from ((moderator.column, code, "a group") for code in moderator.values)
    for outcome in plan.outcomes:
        answers = (outcome.values or ("1", "0")) if outcome.kind == "binary" else ()
        yield from ((outcome.column, code, "an answer") for code in answers)
    if plan.waves is not None:
        yield from ((plan.waves.column, code, "a wave") for code in plan.waves.order.values())
