"""The five plain questions of `whoworks init`, and the draft they lead to."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import typer

from whoworks.cli.summary import paragraph
from whoworks.errors import PlanError, nearest
from whoworks.plan.agreement import STUDENT
from whoworks.plan.draft import QUESTIONS, Question, draft_plan
from whoworks.plan.files import write_whole
from whoworks.plan.guesses import Answers, count_repeated, guess_answers, guess_levels
from whoworks.records.identifiers import identifier_kind
from whoworks.records.read import build_table, read_bytes, read_file

NOTHING = "-"


def draft(data: Path, out: Path, *, ask: bool) -> None:
    """Draft a plan from a file of records, asking or guessing, and say what to do next."""
    if out.exists():
        raise PlanError(f"'{out}' is there already, and may hold your work. Name another file: --out plan2.toml")
    table = build_table("records", read_file(data, read_bytes(data)), file=data.name, sha256="", drop=set())
    personal = [name for name in table.frame.columns if identifier_kind(name, table.texts(name))]
    shown = table.frame.drop(columns=personal)
    answers = ask_all(shown) if ask else None
    text = draft_plan(table.frame, path_from(out, data), answers, identifiers=personal)
    write_whole({out: text})
    typer.echo(f"Drafted {out} from {data}. Lines marked 'guess' ({text.count('# guess')}) are yours to read and mend.")
    n_repeated = count_repeated(table.frame, guess_levels(table.frame))
    if n_repeated:
        told = f"Students that stand in more than one row: {n_repeated:,}."
        typer.echo(f"{told} The plan says under [levels] what to do.")
    typer.echo("Set planned = true for each question that was asked before anyone saw an outcome.")
    typer.echo(f"Then: whoworks check {out}")


def path_from(plan: Path, data: Path) -> str:
    """Return the way from a plan's folder to its records; a name that is not Unicode cannot stand in a plan."""
    path = Path(os.path.relpath(data.absolute(), plan.absolute().parent)).as_posix()
    shown = path.encode(errors="replace").decode()
    if shown != path:
        raise PlanError(f"The name '{shown}' is not in UTF-8, as a plan's text is. Rename that file or folder.")
    return path


def ask_all(frame: pd.DataFrame) -> Answers:
    """Ask the five questions, each with its guess; enter takes the guess."""
    if sys.stdin is None:
        raise unanswered()
    columns = [str(name) for name in frame.columns]
    typer.echo(paragraph(f"{len(frame):,} rows; columns: {', '.join(columns)}"), err=True)
    typer.echo(f"Enter takes the guess in brackets, {NOTHING} says nothing.", err=True)
    guesses = asdict(guess_answers(frame))
    return Answers(**{question.key: ask_one(question, guesses[question.key], columns) for question in QUESTIONS})


def ask_one(question: Question, guess: str, columns: Collection[str]) -> str:
    """Ask until the answer is a column, or nothing where nothing is an answer."""
    allowed = {*columns, STUDENT} if question.key == "assigned" else set(columns)
    default = guess or (NOTHING if question.may_be_empty else None)
    while True:
        try:
            said = str(typer.prompt(question.text, default=default, err=True)).strip()
        except typer.Abort as stopped:
            if isinstance(stopped.__context__, KeyboardInterrupt):
                raise stopped.__context__ from None
            raise unanswered() from None
        if said in allowed:
            return said
        if said == NOTHING and question.may_be_empty:
            return ""
        typer.echo(f"There is no column '{said}'.{nearest(said, list(columns))}", err=True)


def unanswered() -> PlanError:
    """Return the sentence for questions that nobody answers."""
    return PlanError("The questions were not answered to the end. To take every guess: --yes")
