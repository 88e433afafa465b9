"""The draft of a plan from a file of records: five plain questions, and every guess marked as one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pandas as pd

from whoworks.columns import UNITS
from whoworks.errors import PlanError, nearest
from whoworks.plan.agreement import STUDENT, smallest_first
from whoworks.plan.guesses import (
    FEW_VALUES,
    GROUP_WORDS,
    MOST_CODES,
    MOST_GROUPS,
    RECEIPT_WORDS,
    USE_WORDS,
    YEARS_WORDS,
    Answers,
    count_repeated,
    guess_answers,
    guess_control,
    guess_height,
    guess_levels,
    guess_personal,
    is_number,
    present,
    usual_codes,
    words_of,
)
from whoworks.plan.toml import write_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of `whoworks init`: the field of `Answers` it fills, and whether nothing is an answer."""

    key: str
    text: str
    may_be_empty: bool


QUESTIONS = (
    Question(key="arm", text="Which column says to which arm each was assigned?", may_be_empty=False),
    Question(
        key="assigned",
        text='What was assigned to an arm as a whole: the column of the class or school, or "student"?',
        may_be_empty=False,
    ),
    Question(
        key="blocks", text="Within what was assignment drawn separately? (a column, or nothing)", may_be_empty=True
    ),
    Question(key="outcome", text="Which column is the outcome, measured after the programme?", may_be_empty=False),
    Question(
        key="baseline", text="Which column is the pre-test, measured before? (a column, or nothing)", may_be_empty=True
    ),
)

HEADER = """\
# Drafted from the records; every line marked "guess" is to be read and mended.
# A plan is written before outcomes are seen, and kept with the study.
"""
STUDY = """\
[study]
name = "Pilot"  # guess: name the study
question = "Does the programme help, and for whom?"  # guess: ask yours"""
REPEATED = """\
# Students that stand in more than one row: {n}. Each has one row in the analysis: remove the repeats, keep one kind of
# row with records.keep, or, where the rows are of different times, declare them, for example:
# [waves]
# column = "term"
# order = {{ fall = "Fall 2026", spring = "Spring 2027" }}
# before = ["fall"]"""


def draft_plan(
    frame: pd.DataFrame, file: str, answers: Answers | None = None, *, identifiers: Collection[str] = ()
) -> str:
    """Draft a plan as TOML text.

    Parameters
    ----------
    frame : the records, all of them text
    file : the path of the records, relative to the plan's folder
    answers : what was answered to `QUESTIONS`; None takes every guess
    identifiers : columns known to name persons, dropped besides those that are guessed

    Raises
    ------
    PlanError
        When an answer is not a column of the frame.
    """
    said = guess_answers(frame) if answers is None else answers
    guessed = answers is None
    require_answers(said, frame)
    levels = draft_levels(frame, said)
    used = {said.arm, said.outcome, said.baseline, *levels.values()}
    dropped = [column for column in frame.columns if column in {*guess_personal(frame), *identifiers} - used]
    used |= set(dropped)
    moderators = dict(guess_moderators(frame, said, levels, used))
    used |= set(moderators)
    receipt, use = guess_after(frame, used)
    used |= {*receipt, *use}
    parts = [
        HEADER + "schema = 1",
        STUDY,
        "\n".join(["[records]", write_line("path", file)]),
        "\n".join(write_levels(frame, levels)),
        "\n".join(write_arms(frame, said, levels, guessed)),
        "\n".join(write_design(said, levels, guessed)),
        "\n".join(write_outcome(frame, said, guessed)),
        *(write_moderator(frame, column, levels, kind) for column, kind in moderators.items()),
        *write_after(receipt, use),
        *write_privacy(dropped),
        write_unused([str(column) for column in frame.columns if column not in used]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def require_answers(said: Answers, frame: pd.DataFrame) -> None:
    """Refuse an answer that is not a column."""
    for question in QUESTIONS:
        column = getattr(said, question.key)
        if column and column not in frame.columns and not (question.key == "assigned" and column == STUDENT):
            hint = nearest(column, [str(name) for name in frame.columns])
            raise PlanError(f"the records have no column '{column}'.{hint}")
    n_codes = present(frame[said.arm]).nunique() if said.arm else 2
    if not 2 <= n_codes <= MOST_CODES:
        raise PlanError(
            f"the column '{said.arm}' has {n_codes} different values, and a study compares 2 to {MOST_CODES} arms. "
            "Name the column that says to which arm each was assigned."
        )


def draft_levels(frame: pd.DataFrame, said: Answers) -> dict[str, str]:
    """Return the levels that were guessed, with those that were answered."""
    levels = guess_levels(frame)
    levels = {
        level: column for level, column in levels.items() if column not in (said.arm, said.outcome, said.baseline)
    }
    for column in (said.assigned, said.blocks):
        if column in frame.columns and column not in levels.values():
            word = column.removesuffix("_id")
            levels[column if not word or word in levels or word in UNITS else word] = column
    return {
        level: levels[level]
        for level in smallest_first(sorted(levels, key=lambda level: -frame[levels[level]].nunique()))
    }


def mark(line: str, reason: str) -> str:
    """Add the reason for a line as a comment, which ends where the line does."""
    printable = "".join(letter if letter.isprintable() else " " for letter in reason)
    return f"{line}  # {printable}" if reason else line


def write_levels(frame: pd.DataFrame, levels: dict[str, str]) -> Iterator[str]:
    """Write [levels], and what to do where students stand in several rows."""
    yield mark("[levels]", "smallest first")
    for level, column in levels.items():
        yield mark(write_line(level, column), f"guess: this column names the {level}")
    n_repeated = count_repeated(frame, levels)
    if n_repeated:
        yield REPEATED.format(n=f"{n_repeated:,}")


def write_left_out(frame: pd.DataFrame, column: str, kept: Collection[str]) -> Iterator[str]:
    """Count, as a comment, the codes of a column that the draft does not repeat."""
    n_out = len(set(present(frame[column])) - set(kept))
    if n_out:
        yield f"# left out: {n_out} more code(s) of the column, in very few rows; correct them, or add them by hand"


def write_arms(frame: pd.DataFrame, said: Answers, levels: dict[str, str], guessed: bool) -> Iterator[str]:
    """Write [arms], or what to fill in where no column could be the arm."""
    yield "[arms]"
    if not said.arm:
        yield '# fill in: column = "arm", control = "usual" and treatments = ["adaptive"], one line each'
        return
    usual = usual_codes(frame, said.arm, levels)
    codes = usual if len(usual) > 1 else sorted(present(frame[said.arm]).unique())
    control = guess_control(codes)
    treatments = [code for code in codes if code != control]
    yield mark(write_line("column", said.arm), "guess: the arm, as assigned" if guessed else "")
    yield mark(write_line("control", control), "guess: the arm the others are compared with")
    yield mark(write_line("treatments", treatments), "guess: every other arm; leave out what is not compared")
    yield from write_left_out(frame, said.arm, codes)


def write_design(said: Answers, levels: dict[str, str], guessed: bool) -> Iterator[str]:
    """Write [design]."""
    words = {column: level for level, column in levels.items()}
    assigned = words.get(said.assigned, STUDENT)
    yield "[design]"
    reason = f"guess: each {assigned} has one arm" if guessed else ""
    yield mark(write_line("assigned", assigned), reason)
    if said.blocks:
        reason = f"guess: each {words[said.blocks]} has several arms" if guessed else ""
        yield mark(write_line("blocks", [words[said.blocks]]), reason)
        yield mark(write_line("site", words[said.blocks]), "guess: where effects may vary")
        yield mark(write_line("probability", "blocks"), "guess: the share of each arm in its block")
    else:
        yield "# guess: the probability of an arm is its share; if it is known, add for example: probability = 0.5"


def write_outcome(frame: pd.DataFrame, said: Answers, guessed: bool) -> Iterator[str]:
    """Write the one outcome, or what to fill in where no column could be it."""
    yield "[[outcomes]]"
    if not said.outcome:
        yield '# fill in: column = "score"'
        return
    codes = sorted(present(frame[said.outcome]).unique())
    yield mark(write_line("column", said.outcome), "guess: the outcome, measured afterwards" if guessed else "")
    if said.baseline:
        yield mark(write_line("baseline", [said.baseline]), "guess: its pre-test" if guessed else "")
    yield write_line("primary", True)
    if codes == ["0", "1"]:
        yield mark(write_line("kind", "binary"), "guess: it is 0 or 1")
        yield mark(write_line("values", {"1": "yes", "0": "no"}), "guess: put the words")
    else:
        yield mark(write_line("kind", "continuous"), "guess: it is a number")


def guess_moderators(
    frame: pd.DataFrame, said: Answers, levels: dict[str, str], used: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield the pre-test and the columns that look like groups measured before assignment, each with its kind."""
    if said.baseline and is_number(frame[said.baseline]):
        yield said.baseline, "number"
    for column in frame.columns:
        words, n_codes = set(words_of(str(column))), present(frame[column]).nunique()
        if column in used or n_codes < 2:
            continue
        if words & GROUP_WORDS and 2 <= len(usual_codes(frame, column, levels)) <= MOST_GROUPS:
            yield str(column), "category"
        elif words & YEARS_WORDS and n_codes > FEW_VALUES and is_number(frame[column]):
            yield str(column), "number"


def write_moderator(frame: pd.DataFrame, column: str, levels: dict[str, str], kind: str) -> str:
    """Write one moderator with its groups, or with a cut."""
    level = guess_height(frame, column, levels)
    lines = ["[[moderators]]", mark(write_line("column", column), "guess: measured before assignment")]
    lines.append(mark(write_line("level", level), f"guess: it is a property of the {level}"))
    if kind == "number":
        lines += [write_line("kind", kind), mark(write_line("cut", "terciles"), "guess: thirds, for display")]
    else:
        codes = usual_codes(frame, column, levels)
        values = dict(zip(codes, codes, strict=True))
        lines.append(mark(write_line("values", values), "guess: put the words; the first is the reference"))
        lines += write_left_out(frame, column, codes)
    lines.append(mark(write_line("planned", False), "true for the few questions that were planned"))
    return "\n".join(lines)


def guess_after(frame: pd.DataFrame, used: set[str]) -> tuple[list[str], list[str]]:
    """Guess what was measured after assignment: receipt, at most one column, and use."""
    free = [str(column) for column in frame.columns if column not in used]
    receipt = [column for column in free if RECEIPT_WORDS & set(words_of(column))]
    receipt = [column for column in receipt if set(present(frame[column]).unique()) == {"0", "1"}][:1]
    return receipt, [column for column in free if USE_WORDS & set(words_of(column)) and column not in receipt]


def write_after(receipt: list[str], use: list[str]) -> Iterator[str]:
    """Write what looks measured after assignment."""
    if receipt:
        yield f"[takeup]\n{mark(write_line('column', receipt[0]), 'guess: any receipt, yes or no')}"
    if use:
        yield f"[implementation]\n{mark(write_line('columns', use), 'guess: measured after assignment')}"


def write_privacy(dropped: list[str]) -> Iterator[str]:
    """Write the columns that name persons, so that they are never read."""
    if dropped:
        yield f"[privacy]\n{mark(write_line('drop', dropped), 'guess: they name persons, and are never read')}"


def write_unused(columns: list[str]) -> str:
    """Name the columns that the draft does not use, as a comment."""
    if not columns:
        return ""
    named = mark("", ", ".join(columns)).strip()
    return f"# Not in this draft: add as [[moderators]] what was measured before assignment and may matter.\n{named}"
