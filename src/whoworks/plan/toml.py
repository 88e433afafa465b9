"""Write TOML: tables, arrays of tables, and below them everything on one line."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real

BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(tables: Mapping[str, object]) -> str:
    """Write a document: loose keys first, then each table under its heading, in the order given."""
    loose = [write_line(key, value) for key, value in tables.items() if not is_headed(value)]
    parts = ["\n".join(loose)] if loose else []
    for key, value in tables.items():
        if isinstance(value, Mapping):
            parts.append(write_table(f"[{write_key(key)}]", value))
        elif is_headed(value) and isinstance(value, Sequence):
            parts += [write_table(f"[[{write_key(key)}]]", entry) for entry in value]
    return "\n\n".join(parts) + "\n"


def is_headed(value: object) -> bool:
    """Tell whether a value stands under a heading of its own."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def write_table(heading: str, table: Mapping[str, object]) -> str:
    """Write one table under its heading."""
    return "\n".join([heading, *(write_line(key, value) for key, value in table.items())])


def write_line(key: str, value: object) -> str:
    """Write ``key = value``, the line that an error message offers for pasting."""
    return f"{write_key(key)} = {write_value(value)}"


def write_key(key: str) -> str:
    """Write a key, between quotes where it needs them."""
    return key if BARE.fullmatch(key) else write_text(key)


def write_text(text: str) -> str:
    """Write a basic string; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_value(value: object) -> str:
    """Write one value of TOML's types."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return write_text(value)
    if isinstance(value, Integral):
        return repr(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = ", ".join(write_line(str(key), entry) for key, entry in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(write_value(entry) for entry in value)}]"
    raise TypeError(f"TOML has no way to write a {type(value).__name__}")
