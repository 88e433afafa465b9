"""The conditions of `keep`: ``column op value``, joined by ``and``; nothing else is a condition."""

from __future__ import annotations

import re
from typing import NamedTuple

from whoworks.plan.codes import code_text

ORDERED = ("<", "<=", ">", ">=")
IN_WORDS = {
    "==": "is", "!=": "is not", "in": "is", "<": "is under", "<=": "is at most", ">": "is above", ">=": "is at least",
}  # fmt: skip

TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>'[^']*'|"[^"]*")
    | `(?P<ticked>[^`]+)`
    | (?P<op>==|!=|<=|>=|<|>|=)
    | (?P<mark>[\[\](),])
    | (?P<word>[^\s=!<>\[\](),'"`]+)
    )""",
    re.VERBOSE,
)


class Condition(NamedTuple):
    """One condition on a row.

    `op` is one of == != < <= > >= in. `values` holds one value, or the list of
    ``in``. A value that the plan writes as a number is a float and is compared
    as a number; between quotes it is text and is compared as a code. For the
    four ordered operators it is always a float.
    """

    column: str
    op: str
    values: tuple[str | float, ...]


class Token(NamedTuple):
    """A piece of a condition: what kind it is and its text."""

    kind: str
    text: str


def read_conditions(keep: str) -> tuple[Condition, ...]:
    """Read the conditions of `keep`; ValueError says which part cannot be read."""
    tokens = split_tokens(keep)
    conditions: list[Condition] = []
    while tokens:
        if conditions:
            if tokens.pop(0) != Token("word", "and"):
                raise ValueError(f"after \"{phrase(conditions[-1])}\" only 'and' and another condition may follow")
            if not tokens:
                raise ValueError("it ends with 'and': a condition is missing")
        conditions.append(take_condition(tokens))
    return tuple(conditions)


def split_tokens(keep: str) -> list[Token]:
    """Cut `keep` into names, operators, values and brackets."""
    tokens: list[Token] = []
    position = 0
    text = keep.rstrip()
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            raise ValueError(f'"{text[position:].strip()[:20]}" cannot be read as a condition')
        kind = str(found.lastgroup)
        tokens.append(Token(kind, found[kind][1:-1] if kind == "quoted" else found[kind]))
        position = found.end()
    return tokens


def take_condition(tokens: list[Token]) -> Condition:
    """Take one condition off the front of `tokens`."""
    column = tokens.pop(0)
    if column.kind not in ("word", "ticked") or column == Token("word", "and"):
        raise ValueError(f'a condition begins with a column, not with "{column.text}"')
    if not tokens or not (tokens[0].kind == "op" or tokens[0] == Token("word", "in")):
        seen = f'"{tokens[0].text}"' if tokens else "nothing"
        raise ValueError(f"after the column '{column.text}' comes one of == != < <= > >= in, and {seen} was found")
    op = tokens.pop(0).text
    if op == "=":
        raise ValueError(f"after the column '{column.text}' a single = does not compare; write ==")
    values = take_list(tokens) if op == "in" else (take_value(tokens, op),)
    if op in ORDERED:
        return Condition(column.text, op, tuple(as_number(value, op) for value in values))
    return Condition(column.text, op, values)


def take_value(tokens: list[Token], op: str) -> str | float:
    """Take one value: text between quotes, or a number."""
    if not tokens or tokens[0].kind not in ("quoted", "word"):
        raise ValueError(f"after {op} comes a number or a text between quotes")
    token = tokens.pop(0)
    if token.kind == "quoted":
        return code_text(token.text)
    try:
        return float(token.text)
    except ValueError:
        raise ValueError(
            f"{token.text} after {op} is neither a number nor between quotes: write '{token.text}'"
        ) from None


def take_list(tokens: list[Token]) -> tuple[str | float, ...]:
    """Take the list that follows ``in``: values between brackets, separated by commas."""
    closing = {"[": "]", "(": ")"}.get(tokens[0].text) if tokens and tokens[0].kind == "mark" else None
    if closing is None:
        raise ValueError("after 'in' comes a list, such as ['5', '6']")
    tokens.pop(0)
    values = [take_value(tokens, "in")]
    while tokens and tokens[0] == Token("mark", ","):
        tokens.pop(0)
        values.append(take_value(tokens, "in"))
    if not tokens or tokens.pop(0) != Token("mark", closing):
        raise ValueError(f"the list after 'in' is not closed by {closing}")
    return tuple(values)


def as_number(value: str | float, op: str) -> float:
    """Return the number that an ordered comparison needs."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{op} compares numbers, and '{value}' is not one") from None


def phrase(condition: Condition) -> str:
    """Write a condition as a plan would."""
    written = [f"'{value}'" if isinstance(value, str) else f"{value:g}" for value in condition.values]
    listed = f"[{', '.join(written)}]" if condition.op == "in" else written[0]
    return f"{condition.column} {condition.op} {listed}"


def say_condition(condition: Condition) -> str:
    """Write a condition as a sentence would: ``grade is \u201c6\u201d``, ``score is at least 10``."""
    written = [f"\u201c{value}\u201d" if isinstance(value, str) else f"{value:g}" for value in condition.values]
    listed = " or ".join([", ".join(written[:-1]), written[-1]] if len(written) > 1 else written)
    return f"{condition.column} {IN_WORDS[condition.op]} {listed}"
