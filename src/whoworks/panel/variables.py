"""Variables: everything the plan wants to know of a unit, once each, with all its roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from whoworks.errors import PanelError
from whoworks.panel.panel import Kind, Role
from whoworks.plan.outcomes import Outcome
from whoworks.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A variable as the plan asks for it; `kind` is None where the data decide.

    `success` is the code that counts as 1 in a binary outcome.
    """

    name: str
    column: str
    wave: str = ""
    roles: tuple[Role, ...]
    kind: Kind | None = None
    label: str = ""
    level: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    success: str = ""


def requests(plan: Plan) -> tuple[Request, ...]:
    """Return the plan's variables in its order; a column that has several roles is one variable."""
    merged: dict[str, Request] = {}
    for request in asked(plan):
        known = merged.get(request.name)
        merged[request.name] = request if known is None else merge(known, request)
    return tuple(merged.values())


def asked(plan: Plan) -> Iterator[Request]:
    """Yield one request per mention in the plan."""
    yield from (request_of(outcome) for outcome in plan.outcomes)
    named = {moderator.name for moderator in plan.moderators}
    for baseline in (baseline for outcome in plan.outcomes for baseline in outcome.baseline):
        yield Request(
            name=baseline.name,
            column=baseline.column,
            wave=baseline.wave,
            roles=(Role.BASELINE,),
            kind=Kind.NUMBER,
            label="" if baseline.name in named else baseline.label,
        )
    for moderator in plan.moderators:
        yield Request(
            name=moderator.name,
            column=moderator.column,
            wave=moderator.wave,
            roles=(Role.MODERATOR,),
            kind=Kind(moderator.kind),
            label=moderator.label,
            level=moderator.level,
            values=moderator.values,
        )
    for column in plan.covariates.columns:
        label = plan.covariates.labels.get(column, "")
        yield Request(name=column, column=column, roles=(Role.COVARIATE,), label=label)
    if plan.takeup.column:
        yield Request(name=plan.takeup.column, column=plan.takeup.column, roles=(Role.TAKEUP,), kind=Kind.BINARY)
    for column in plan.implementation.columns:
        yield Request(name=column, column=column, roles=(Role.IMPLEMENTATION,))


def request_of(outcome: Outcome) -> Request:
    """Return the request for an outcome."""
    binary = outcome.kind == "binary"
    return Request(
        name=outcome.name,
        column=outcome.column,
        wave=outcome.wave,
        roles=(Role.OUTCOME,),
        kind=Kind.BINARY if binary else Kind.NUMBER,
        label=outcome.label,
        values=(outcome.values or {"1": "1", "0": "0"}) if binary else {},
        success=outcome.success if binary else "",
    )


def merge(known: Request, again: Request) -> Request:
    """Return one request for a variable that the plan mentions twice."""
    if known.kind and again.kind and known.kind != again.kind:
        raise PanelError(
            f"The plan reads '{known.name}' as a {known.kind} for its {known.roles[0]}, and as a {again.kind} for its "
            f'{again.roles[0]}. Give both the same kind, for example kind = "number" under [[moderators]].'
        )
    roles = tuple(dict.fromkeys((*known.roles, *again.roles)))
    return replace(
        known,
        roles=roles,
        kind=known.kind or again.kind,
        label=known.label or again.label,
        level=known.level or again.level,
        values=known.values or again.values,
        success=known.success or again.success,
    )
