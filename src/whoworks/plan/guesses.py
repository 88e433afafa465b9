"""Guesses at what a file's columns are, from their names and how often their values occur; never more than guesses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pandas as pd

from whoworks.plan.agreement import STUDENT
from whoworks.plan.codes import code_text
from whoworks.plan.missing import CODES

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(column: str) -> list[str]:
    """Split a column's name into lower-case words: rit_spring and RitSpring agree."""
    return [word.lower() for word in WORD.findall(column)]


KEY_WORDS = frozenset(words_of("id ids code codes number no nr key"))
LEVEL_WORDS = {
    STUDENT: frozenset(words_of("id student students pupil learner child user sid stu")),
    "class": frozenset(words_of("class classroom classes teacher tch section homeroom")),
    "school": frozenset(words_of("school schools sch campus site building")),
    "district": frozenset(words_of("district lea")),
}
ARM_WORDS = frozenset(
    words_of("arm treatment treat treated condition assignment variant intervention cltype experimental")
)
CONTROL_CODES = frozenset(words_of("control usual bau comparison regular reg placebo waitlist none no c 0 false"))
AFTER_WORDS = frozenset(words_of("post posttest outcome spring final endline end followup eot"))
BEFORE_WORDS = frozenset(words_of("pre pretest prettest baseline fall prior before previous"))
SCORE_WORDS = frozenset(words_of("score math maths mathematics read reading rit test exam scale points passed"))
GROUP_WORDS = frozenset(
    words_of("frl lunch ses sex sx gender female ell el lep iep sped ethnicity ethnic race eth schtype")
)
YEARS_WORDS = frozenset(words_of("years experience exp"))
USE_WORDS = frozenset(words_of("minutes hours usage sessions logins lessons attendance dosage completed progress"))
RECEIPT_WORDS = frozenset(words_of("received receipt takeup uptake logged"))
PERSON_WORDS = frozenset(
    words_of("first last middle given family full student pupil child parent guardian teacher user")
)
PERSONAL_WORDS = frozenset(
    words_of(
        "email mail phone telephone mobile ssn dob birthdate birthday "
        "address street surname firstname lastname fullname fname lname username"
    )
)
MOST_ARMS = 6
MOST_CODES = 20
MOST_GROUPS = 6
FEW_VALUES = 10
MOSTLY = 0.9
FEW_ROWS = 3  # a code that fewer rows hold is hardly a group
STRAY = 0.05  # a student's code in fewer rows of another column is hardly a group's


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the five questions ask; each is a column of the file.

    `assigned` may be "student" for each row; `blocks` and `baseline` may be
    empty; `arm` and `outcome` are empty where no guess was possible.
    """

    arm: str
    assigned: str
    blocks: str
    outcome: str
    baseline: str


def present(values: pd.Series[str]) -> pd.Series[str]:
    """Return the values that are there, as codes."""
    kept = values[values.notna() & ~values.isin(CODES)].astype(str)
    return kept.map({value: code_text(value) for value in kept.unique()})


def is_number(values: pd.Series[str]) -> bool:
    """Tell whether all values that are there are numbers."""
    kept = present(values)
    return len(kept) > 0 and bool(pd.to_numeric(kept, errors="coerce").notna().all())


def guess_level(column: str, values: pd.Series[str]) -> str:
    """Guess which level a column names, from words such as school_id, schid or tch; "" where none."""
    repeats = len(values) > values.nunique()
    return next((level for level in named_levels(column) if level == STUDENT or repeats), "")


def named_levels(column: str) -> list[str]:
    """Return the levels that a column's name may speak of."""
    words = [word for word in words_of(column) if word not in KEY_WORDS] or words_of(column)[:1]
    if len(words) != 1:
        return []
    return [level for level, known in LEVEL_WORDS.items() if {words[0], words[0].removesuffix("id")} & known]


def speaks_of_students(column: str) -> bool:
    """Tell whether a column's name says that it holds students' codes."""
    return STUDENT in named_levels(column)


def is_bare(column: str) -> bool:
    """Tell whether a column's name says that it holds codes, and not whose."""
    return all(word in KEY_WORDS for word in words_of(column))


def guess_levels(frame: pd.DataFrame) -> dict[str, str]:
    """Guess the columns of students, classes, schools and districts, smallest first.

    A bare ``id`` names students only where nearly every row has its own.
    """
    found: dict[str, str] = {}
    for column in sorted(map(str, frame.columns), key=is_bare):
        level = guess_level(column, frame[column])
        if level == STUDENT and is_bare(column) and frame[column].nunique() < MOSTLY * len(frame):
            continue
        found.setdefault(level, column)
    return {level: found[level] for level in LEVEL_WORDS if level in found}


def count_repeated(frame: pd.DataFrame, levels: dict[str, str]) -> int:
    """Count the students that stand in more than one row."""
    return int((present(frame[levels[STUDENT]]).value_counts() > 1).sum()) if STUDENT in levels else 0


def usual_codes(frame: pd.DataFrame, column: str, levels: dict[str, str]) -> list[str]:
    """Return the codes that may name a group: several rows share them, and they are no student's that went astray."""
    counts = present(frame[column]).value_counts()
    students = set(present(frame[levels[STUDENT]])) if STUDENT in levels else set()
    least = {code: STRAY * len(frame) if code in students else FEW_ROWS for code in counts.index}
    return sorted(str(code) for code, n_rows in counts.items() if n_rows >= max(least[code], FEW_ROWS))


def varies_within(frame: pd.DataFrame, column: str, place: str) -> pd.Series[bool]:
    """Tell for each place whether it holds more than one value of a column."""
    kept = pd.DataFrame({"place": present(frame[place]), "value": present(frame[column])}).dropna()
    return kept.groupby("place")["value"].nunique() > 1


def guess_arm(frame: pd.DataFrame, taken: Collection[str]) -> str:
    """Guess the column of the arm: two to six codes, and a name or a code that speaks of arms."""
    best, best_points = "", 0
    for column in frame.columns:
        codes = set(present(frame[column]).unique())
        if column in taken or not 2 <= len(codes) <= MOST_ARMS:
            continue
        named = bool(ARM_WORDS & set(words_of(str(column))))
        points = 4 * named + 2 * bool(
            {code.lower() for code in codes} & (CONTROL_CODES - {"0", "no", "c", "false", "none"})
        )
        points += named and len(codes) == 2
        if points > best_points:
            best, best_points = str(column), points
    return best


def guess_control(codes: Iterable[str]) -> str:
    """Guess which arm is the control."""
    listed = sorted(codes)
    return next((code for code in listed if code.lower() in CONTROL_CODES), listed[0])


def guess_assigned(frame: pd.DataFrame, arm: str, levels: dict[str, str]) -> str:
    """Guess what carries the arm: the largest place within which it never varies, else the student."""
    for level in reversed([level for level in levels if level != STUDENT]):
        if not varies_within(frame, arm, levels[level]).any():
            return levels[level]
    return STUDENT


def guess_blocks(frame: pd.DataFrame, arm: str, assigned: str, levels: dict[str, str]) -> str:
    """Guess within what arms were drawn: the smallest place above whose members nearly all hold several arms."""
    order = [column for level, column in levels.items() if level != STUDENT]
    above = order[order.index(assigned) + 1 :] if assigned in order else order
    return next((column for column in above if varies_within(frame, arm, column).mean() >= MOSTLY), "")


def guess_outcome(frame: pd.DataFrame, taken: Collection[str]) -> str:
    """Guess the outcome: a number whose name speaks of a test after the programme."""
    best, best_points = "", 0
    for column in frame.columns:
        words = set(words_of(str(column)))
        if column in taken or words & (BEFORE_WORDS | USE_WORDS) or not is_number(frame[column]):
            continue
        many = present(frame[column]).nunique() > FEW_VALUES
        points = 4 * bool(words & AFTER_WORDS) + 2 * bool(words & SCORE_WORDS) + many
        if points > best_points:
            best, best_points = str(column), points
    return best


def guess_baseline(frame: pd.DataFrame, outcome: str, taken: Collection[str]) -> str:
    """Guess the pre-test: a number whose name speaks of before, the nearest to the outcome's name."""
    best, best_points = "", -1
    for column in frame.columns:
        words = set(words_of(str(column)))
        if column in taken or column == outcome or not words & BEFORE_WORDS or not is_number(frame[column]):
            continue
        points = len(words & set(words_of(outcome)))
        if points > best_points:
            best, best_points = str(column), points
    return best


def guess_answers(frame: pd.DataFrame) -> Answers:
    """Guess the answers to the five questions from a frame of text."""
    levels = guess_levels(frame)
    taken = set(levels.values()) | set(guess_personal(frame))
    arm = guess_arm(frame, taken)
    assigned = guess_assigned(frame, arm, levels) if arm else STUDENT
    blocks = guess_blocks(frame, arm, assigned, levels) if arm else ""
    outcome = guess_outcome(frame, taken | {arm})
    baseline = guess_baseline(frame, outcome, taken | {arm}) if outcome else ""
    return Answers(arm=arm, assigned=assigned, blocks=blocks, outcome=outcome, baseline=baseline)


def guess_personal(frame: pd.DataFrame) -> list[str]:
    """Guess which columns name persons: names, addresses, telephone numbers, birth dates."""
    return [str(column) for column in frame.columns if is_personal(words_of(str(column)))]


def is_personal(words: list[str]) -> bool:
    """Tell whether the words of a column's name speak of something that names a person."""
    known = set(words)
    if known & PERSONAL_WORDS or words == ["name"]:
        return True
    return ("name" in known and bool(known & PERSON_WORDS)) or {"birth", "date"} <= known


def guess_height(frame: pd.DataFrame, column: str, levels: dict[str, str]) -> str:
    """Guess the level at which a column varies: the largest place within which it never does."""
    for level in reversed([level for level in levels if level != STUDENT]):
        if not varies_within(frame, column, levels[level]).any():
            return level
    return STUDENT
