"""Mistakes of a plan, one sentence each: the key, what is wrong, the nearest known key, the line to paste."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from whoworks.errors import PlanError
from whoworks.plan.table import Table
from whoworks.plan.toml import write_line, write_value

MOST = 8
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
ARRAYS = ("records", "outcomes", "moderators")
EXPECTED = {
    "string_type": "text between quotes",
    "string_too_short": "text that is not empty",
    "string_pattern_mismatch": "text that is not empty",
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number, without quotes",
    "finite_number": "a number that ends",
    "tuple_type": "a list between [ and ]",
    "dict_type": "a table between { and }",
    "model_type": "text between quotes or a table between { and }",
    "date_type": "a date without quotes",
    "too_short": "at least one entry",
}

Place = Sequence[int | str]


def refuse(sentences: Iterable[str], source: str = "") -> None:
    """Raise `PlanError` when there are sentences: one alone, or several as a list with one per line."""
    listed = list(dict.fromkeys(sentences))
    if not listed:
        return
    if len(listed) == 1:
        raise PlanError(f"{source}: {listed[0]}" if source else listed[0])
    rest = [f"- and {len(listed) - MOST} more"] if len(listed) > MOST else []
    lines = [f"- {line}" for line in listed[:MOST]] + rest
    raise PlanError("\n".join([f"{source or 'The plan'} has {len(listed)} mistakes:", *lines]))


def objection(place: Place, problem: str, paste: str = "", *, example: str = "") -> str:
    """Write one mistake: where, what, and the line that mends it, or an example where only the reader knows."""
    advice = f" Write: {paste}" if paste else f" Write, for example: {example}" if example else ""
    return f"{name_place(place)}: {problem.rstrip('.')}.{advice}"


def name_place(place: Place) -> str:
    """Name a place of the plan as its reader finds it: ``[[moderators]] 2, 'lable'``."""
    if not place:
        return "the plan"
    table, *rest = place
    named = f"[[{table}]]" if table in ARRAYS else f"[{table}]"
    for part in rest:
        named += f" {part + 1}" if isinstance(part, int) else f", '{part}'"
    return named


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word nearest to `word`, or an empty string."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)), "")


def tell_mistakes(error: ValidationError, tables: Mapping[str, type[Table]]) -> list[str]:
    """Turn what pydantic refused into sentences; `tables` maps each table's name to its model."""
    return [tell_mistake(detail, tables) for detail in error.errors(include_url=False)]


def tell_mistake(detail: ErrorDetails, tables: Mapping[str, type[Table]]) -> str:
    """Turn one refusal into a sentence."""
    place = tuple(part for part in detail["loc"] if part != "[key]")
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    known = known_fields(place, tables)
    if detail["type"] == "extra_forbidden":
        return tell_unknown(place, key, detail["input"], known, tables)
    if len(place) == 1 and key in tables:
        return tell_table(key, detail, tables[key])
    field = known.get(key) or known_fields(place[:2], tables).get(str(place[-1])) or own_field(place, tables)
    return tell_value(place, key, detail, field)


def known_fields(place: Place, tables: Mapping[str, type[Table]]) -> Mapping[str, FieldInfo]:
    """Return the fields of the table in which `place` lies; those of the plan itself have no fields here."""
    if len(place) < 2 or place[0] not in tables:
        return {}
    return tables[str(place[0])].model_fields


def own_field(place: Place, tables: Mapping[str, type[Table]]) -> FieldInfo | None:
    """Return the field that holds a nested place, such as an entry of a list."""
    fields = known_fields(place, tables)
    return next((fields[part] for part in place[1:] if isinstance(part, str) and part in fields), None)


def tell_unknown(
    place: Place, key: str, value: object, known: Mapping[str, FieldInfo], tables: Mapping[str, type[Table]]
) -> str:
    """Say that a key is not known, which one is near, and how the line would read."""
    if len(place) == 1:
        return tell_unknown_table(key, tables)
    near = closest(key, known)
    if near:
        return f"{name_place(place)}: there is no such key. Did you mean '{near}'? Write: {show_line(near, value)}"
    home = next((table for table, model in tables.items() if key in model.model_fields), "")
    if home:
        return objection(place, f"this key belongs under {name_place([home])}")
    return objection(place, f"there is no such key; the keys here are {', '.join(known)}")


def tell_unknown_table(key: str, tables: Mapping[str, type[Table]]) -> str:
    """Say that the plan has no such table, which one is near, or under which one the key belongs."""
    home = next((table for table, model in tables.items() if key in model.model_fields), "")
    if home:
        return f"'{key}' stands under no table; this key belongs under {name_place([home])}."
    near = closest(key, tables)
    if near:
        heading = name_place([near])
        return f"[{key}] is not a table of the plan. Did you mean {heading}? Write: {heading}"
    return f"[{key}] is not a table of the plan; its tables are {', '.join(tables)}."


def tell_table(key: str, detail: ErrorDetails, model: type[Table]) -> str:
    """Say that a whole table is absent or is not a table."""
    needed = [field.examples[0] for field in model.model_fields.values() if field.is_required() and field.examples]
    lines = f" Under a line {name_place([key])}, write: {', then '.join(needed)}" if needed else ""
    if detail["type"] in ("missing", "too_short"):
        return f"the plan has no {name_place([key])}.{lines}"
    if key in ARRAYS and isinstance(detail["input"], Mapping):
        return f"[{key}] may be there several times, so it has two brackets. Write: [[{key}]]"
    return f"{name_place([key])} is not a table.{lines}"


def tell_value(place: Place, key: str, detail: ErrorDetails, field: FieldInfo | None) -> str:
    """Say what is wrong with a value, what was expected and how the line would read."""
    meant = field.description if field and field.description else ""
    example = str(field.examples[0]) if field and field.examples else ""
    if detail["type"] == "missing":
        return objection(place, f"it is not there; expected {meant or 'a value'}", example=example)
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return objection(place, str(context["error"]), example=example)
    expected = EXPECTED.get(detail["type"], meant or detail["msg"])
    if detail["type"] == "literal_error":
        expected = f"{meant}: {context['expected']}".replace("'", '"')
    elif meant and expected != meant:
        expected = f"{expected} ({meant})"
    problem = f"expected {expected}, found {show(detail['input'])}"
    return objection(place, problem, mend(key, place, detail), example=example)


def show(value: object) -> str:
    """Show what was found, shortened."""
    try:
        text = write_value(value)
    except TypeError:
        text = type(value).__name__
    return text if len(text) <= 40 else f"{text[:37]}..."


def show_line(key: str, value: object) -> str:
    """Show the line with its mended key; a long value, or one that a plan cannot hold, is left to the reader."""
    try:
        line = write_line(key, value)
    except TypeError:
        line = ""
    return line if 0 < len(line) <= 120 else f"{key} = ..."


def mend(key: str, place: Place, detail: ErrorDetails) -> str:
    """Return the mended line where the value itself shows what was meant."""
    value, kind = detail["input"], detail["type"]
    if not place or place[-1] != key:
        return ""
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return write_line(key, str(value))
    if kind == "tuple_type" and isinstance(value, str):
        return write_line(key, [value])
    if kind == "bool_type" and value in ("true", "false"):
        return f"{key} = {value}"
    if kind.startswith("date_") and isinstance(value, str) and ISO_DATE.fullmatch(value):
        return f"{key} = {value}"
    if kind in ("int_type", "float_type") and isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return f"{key} = {value}"
    if kind == "literal_error" and isinstance(value, str):
        choices = str(detail.get("ctx", {})["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        near = closest(value, choices)
        return write_line(key, near) if near else ""
    return ""
