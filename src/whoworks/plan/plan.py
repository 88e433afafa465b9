"""The study plan: everything the analysis needs, written before outcomes are seen."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, ValidationError

from whoworks.errors import PlanError
from whoworks.plan.agreement import find_breaches
from whoworks.plan.contents import TABLES, Contents
from whoworks.plan.files import write_whole
from whoworks.plan.mistakes import refuse, tell_mistakes
from whoworks.plan.records import RecordTable
from whoworks.plan.toml import write_toml

ORDERED = ("levels", "values", "order")


class Plan(Contents):
    """The plan, one attribute per table of the file; read it with `Plan.load` or `Plan.parse`."""

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)
    _base: Path = PrivateAttr(default=Path())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a plan from its file; `PlanError` says what to mend."""
        path = Path(path)
        return cls.parse(read_text(path), base=path.absolute().parent, source=path.name)

    @classmethod
    def parse(cls, text: str, *, base: Path = Path(), source: str = "") -> Self:
        """Read a plan from TOML; relative paths start from `base`, and `source` names the file in errors."""
        try:
            text.encode()
            given = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            where = source or "the plan"
            raise PlanError(f"{where} is not TOML: {error}. Mend that line; texts stand between quotes.") from None
        return cls.build(given, base=base, source=source)

    @classmethod
    def build(cls, given: Mapping[str, Any], *, base: Path = Path(), source: str = "") -> Self:
        """Make a plan of tables that are already read; `given` has the keys of the file."""
        tables = copy.deepcopy(dict(given))
        if "schema" not in given:
            refuse(["the plan does not say which form it has. Write at the top: schema = 1"], source)
        if type(given["schema"]) is not int or given["schema"] != 1:
            refuse([f"schema = {given['schema']!r} is not a form that this version reads. Write: schema = 1"], source)
        try:
            plan = cls.model_validate(tables)
        except ValidationError as error:
            refuse(tell_mistakes(error, TABLES), source)
            raise
        plan._given = tables
        plan._base = base
        refuse(find_breaches(plan), source)
        return plan

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return self._base

    @property
    def given(self) -> dict[str, Any]:
        """The tables as given, without defaults (a copy)."""
        return copy.deepcopy(self._given)

    @property
    def hash(self) -> str:
        """Sha256 of what the plan says, less paths and [report]; the order of keys does not matter."""
        tables = {key: value for key, value in self._given.items() if key != "report"}
        if "records" in tables:
            entries = tables["records"] if isinstance(tables["records"], list) else [tables["records"]]
            tables["records"] = [{key: value for key, value in entry.items() if key != "path"} for entry in entries]
        return hashlib.sha256(canonical_json(tables).encode()).hexdigest()

    def to_toml(self) -> str:
        """Write the plan as TOML, as it was given."""
        return write_toml(self._given)

    def write(self, path: str | Path) -> Path:
        """Write the plan to a file; relative paths of records are rewritten to start from its folder."""
        path = Path(path)
        folder = path.absolute().parent
        given = self.given
        entries = given.get("records", [])
        for entry in entries if isinstance(entries, list) else [entries]:
            if "path" in entry and not Path(entry["path"]).is_absolute():
                entry["path"] = Path(os.path.relpath(self._base.absolute() / entry["path"], folder)).as_posix()
        try:
            write_whole({path: write_toml(given)})
        except OSError as error:
            raise PlanError(f"the plan cannot be written to {path}: {error.strerror}. Choose another place.") from None
        return path

    def locate(self, table: RecordTable) -> Path | None:
        """Return where a table's file lies, or None where its rows are handed in."""
        return None if table.path is None else self._base / table.path


def read_text(path: Path) -> str:
    """Read a plan's file as text, or say why it cannot be read."""
    if path.is_dir():
        raise PlanError(f"{path} is a folder; name the plan's file, for example {path / 'plan.toml'}.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise PlanError(f"there is no file {path}. Draft one with: whoworks init DATA -o {path}") from None
    except UnicodeDecodeError:
        raise PlanError(f"{path.name} is not text in UTF-8. Save it as UTF-8 from the editor.") from None
    except (OSError, ValueError) as error:
        raise PlanError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def canonical_json(value: object) -> str:
    """Write a value so that what means the same reads the same; order is kept where order has a meaning."""
    return json.dumps(ordered_pairs(value), sort_keys=True, separators=(",", ":"), default=str)


def ordered_pairs(value: object, key: str = "") -> object:
    """Turn the tables whose order says something (levels, values, waves) into lists of pairs."""
    if isinstance(value, Mapping):
        pairs = {name: ordered_pairs(entry, str(name)) for name, entry in value.items()}
        return [[name, entry] for name, entry in pairs.items()] if key in ORDERED else pairs
    if isinstance(value, list | tuple):
        return [ordered_pairs(entry) for entry in value]
    return value
