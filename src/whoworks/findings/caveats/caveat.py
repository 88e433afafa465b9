"""A caveat: one consequence of how a study was made or of what it found, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveat:
    """One consequence for the reader.

    `caveat_id` names the rule, `subject` what it concerns ("" for the whole study,
    or an outcome's or moderator's name), `gravity` orders them: 1 changes how
    page 1 is read, 2 belongs in the body, 3 is small print. `about` names the findings
    that it says something of (their `finding_id`): where one of them is withheld, so is it.
    """

    caveat_id: str
    subject: str
    gravity: int
    sentence: str
    about: tuple[str, ...] = ()
