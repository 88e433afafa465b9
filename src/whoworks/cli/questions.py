"""The five plain questions of `whoworks init`, and the draft they lead to."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import typer

from whoworks.cli.summary import paragraph
from whoworks.errors import PlanError, nearest
from whoworks.plan.agreement import STUDENT
from whoworks.plan.draft import QUESTIONS, Question, draft_plan
from whoworks.plan.guesses import Answers, guess_answers
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
    path = Path(os.path.relpath(data.absolute(), out.absolute().parent)).as_posix()
    text = draft_plan(table.frame, path, answers, identifiers=personal)
    out.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(f"Drafted {out} from {data}. Lines marked 'guess' ({text.count('# guess')}) are yours to read and mend.")
    typer.echo("Set planned = true for each question that was asked before anyone saw an outcome.")
    typer.echo(f"Then: whoworks check {out}")


def ask_all(frame: pd.DataFrame) -> Answers:
    """Ask the five questions, each with its guess; enter takes the guess."""
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
        except typer.Abort:
            raise PlanError("The questions were not answered to the end. To take every guess: --yes") from None
        if said in allowed:
            return said
        if said == NOTHING and question.may_be_empty:
            return ""
        typer.echo(f"There is no column '{said}'.{nearest(said, list(columns))}", err=True)
