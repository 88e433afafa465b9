"""Rules that say who is in a group: one or two cuts along moderators, in codes that a reader can follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whoworks.findings.groups import own_level_values
from whoworks.findings.setting import Setting
from whoworks.panel.panel import Panel
from whoworks.plan.moderators import Moderator

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Sign = Literal["=", "is not", "<=", ">"]

AND, BESIDE = " and ", " & "  # between conditions, and between the moderators of a rule
WRITTEN = re.compile(r"(?P<moderator>.+?) (?P<sign>=|is not|<=|>) (?P<value>.+)", re.DOTALL)
SHARES = (0.2, 0.4, 0.6, 0.8)  # quantiles at which a number may be cut, over units of its own level


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One cut: a category is or is not a code, or a number is at most, or above, a value."""

    moderator: str
    sign: Sign
    value: str

    @property
    def text(self) -> str:
        """The condition in codes: ``frl = Y``, ``rit_fall <= 205``."""
        return f"{self.moderator} {self.sign} {self.value}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a condition back from its text."""
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"'{text}' is no condition: a moderator, one of = / is not / <= / >, and a value")
        return cls(**found.groupdict())  # type: ignore[arg-type]

    def holds(self, column: pd.Series[float]) -> tuple[Mask, Mask]:
        """Return for which units the condition holds, and for which it is known, (n,) each."""
        known = column.notna().to_numpy()
        if self.sign in ("=", "is not"):
            equal = (column == self.value).to_numpy(dtype=np.bool_)
            return (equal if self.sign == "=" else ~equal) & known, known
        below = column.to_numpy(dtype=np.float64) <= float(self.value)
        return (below if self.sign == "<=" else ~below) & known, known


Rule = tuple[Condition, ...]


def write_rule(rule: Rule) -> str:
    """Return the rule in codes, its conditions joined by "and"."""
    return AND.join(condition.text for condition in rule)


def read_rule(text: str, moderators: tuple[str, ...]) -> Rule:
    """Read a rule back; `moderators` are those it cuts, since a code may hold an "and" of its own."""
    names = "|".join(re.escape(name) for name in moderators)
    parts = re.split(f"{AND}(?=(?:{names}) (?:=|is not|<=|>) )", text)
    return tuple(Condition.read(part) for part in parts)


def moderators_of(rule: Rule) -> tuple[str, ...]:
    """Return the moderators that a rule cuts, in order, each once."""
    return tuple(dict.fromkeys(condition.moderator for condition in rule))


def follow_rule(rule: Rule, panel: Panel, setting: Setting) -> tuple[Mask, Mask]:
    """Return which analysed units a rule takes in, and for which all its moderators are known, (n,) each."""
    n = len(setting.scores.y)
    inside, known = np.ones(n, dtype=np.bool_), np.ones(n, dtype=np.bool_)
    for condition in rule:
        holds, told = condition.holds(panel.values[condition.moderator])
        inside, known = inside & holds[setting.scores.rows], known & told[setting.scores.rows]
    return inside & known, known


def list_conditions(panel: Panel, moderators: Sequence[Moderator]) -> tuple[Condition, ...]:
    """Return every cut that a rule may use, along each of some moderators; no outcome moves a cut point."""
    listed: list[Condition] = []
    for moderator in {m.name: m for m in moderators}.values():
        column = panel.values[moderator.name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            levels = [str(level) for level in column.cat.categories]
            signs: tuple[Sign, ...] = ("=",) if len(levels) == 2 else ("=", "is not")
            listed += [
                Condition(moderator=moderator.name, sign=sign, value=level) for level in levels for sign in signs
            ]
            continue
        own = own_level_values(panel, moderator)
        cuts = np.unique(np.quantile(own, SHARES, method="inverted_cdf")) if len(own) else own
        for cut in cuts[cuts < own.max(initial=-np.inf)]:
            listed.append(Condition(moderator=moderator.name, sign="<=", value=f"{cut:.6g}"))
            listed.append(Condition(moderator=moderator.name, sign=">", value=f"{cut:.6g}"))
    return tuple(listed)
