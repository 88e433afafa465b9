"""The commands: demo, init, check, report, simulate, doctor.

Each one unpacks what was typed, asks the study, and says what came of it.
Nothing that computes is loaded before a command needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

import whoworks
from whoworks.cli import refusal
from whoworks.errors import InfeasibleError, WhoworksError

app = typer.Typer(
    help="What works, for whom, in which circumstances: from a trial's records to what can be said of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Assigned = Literal["student", "class", "school"]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The study plan, a TOML file.", show_default=False)]
DataFile = Annotated[
    Path | None, typer.Option("--data", metavar="FILE", help="Records to use in place of the plan's first table.")
]


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.excepthook = refusal.tell_unexpected
    refusal.tolerate_any_terminal()
    refusal.tolerate_any_reader()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; what users can put right is said in a sentence on stderr."""
    try:
        typer.main.get_command(app).main(args=list(arguments), prog_name="whoworks")
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except WhoworksError as error:
        refusal.say(str(error))
        return error.exit_code
    except OSError as error:
        refusal.say(refusal.file_sentence(error))
        return refusal.USER_ERROR
    return 0


def show_version(wanted: bool) -> None:
    """Print the version and stop, when it was asked for."""
    if wanted:
        typer.echo(f"whoworks {whoworks.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold what all commands share."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where to write it.")] = Path("whoworks-demo"),
) -> None:
    """Make a synthetic pilot and its report.

    The pilot goes to DIR/pilot, the report to DIR/report.
    """
    from whoworks.report.folder import require_writable

    pilot = whoworks.make_pilot("lakeside")
    folder = out / "pilot"
    require_writable(out / "report")
    pilot.write(folder)
    typer.echo(f"A synthetic pilot of {len(pilot.records):,} students is in {folder}.")
    write_report(whoworks.Study.from_plan(folder / "plan.toml"), out / "report", command="whoworks demo")


@app.command()
def init(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A file of records.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The plan to write.")] = Path("plan.toml"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take every guess.")] = False,
) -> None:
    """Draft a study plan from a file of records.

    Asks five plain questions and marks every guess in the plan.
    """
    from whoworks.cli.questions import draft

    draft(data, out, ask=not yes)


@app.command()
def check(plan: PlanFile, data: DataFile = None) -> None:
    """Read the records and check the design.

    Nothing is estimated and nothing is written.
    """
    from whoworks.cli.summary import show_checks

    study = whoworks.Study.from_plan(plan, data=data)
    show_checks(study)
    study.require_feasible()


@app.command()
def report(
    plan: PlanFile,
    data: DataFile = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where to write it; by default under reports/."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Run the whole analysis and write the report.

    PDF, findings, checks, ledger, figures and manifest go to one folder, named at the end.
    """
    command = f"whoworks report {plan.name}" + (f" --data {data.name}" if data else "")
    write_report(whoworks.Study.from_plan(plan, data=data), out, command=command, as_json=as_json)


def write_report(study: whoworks.Study, out: Path | None, *, command: str, as_json: bool = False) -> None:
    """Run a study, write its report and say where it is; of a design that cannot carry it, write what can be."""
    from whoworks.cli.progress import stage_bar
    from whoworks.cli.summary import show_answer
    from whoworks.report.folder import require_writable
    from whoworks.report.write import folder_name

    require_writable(out or folder_name(study.plan, study.panel.provenance))
    try:
        with stage_bar() as progress:
            run = study.run(progress=progress)
            progress("report", 0.0)
            folder = run.report(out, command=command)
    except InfeasibleError as error:
        folder = study.write_checks(out, stopped=str(error), command=command)
        raise InfeasibleError(f"{error} The ledger and the checks are in {folder}.") from None
    if as_json:
        typer.echo((folder / "manifest.json").read_text(encoding="utf-8"), nl=False)
    else:
        show_answer(folder)


def list_worlds(wanted: bool) -> None:
    """Print every world's name and what it is for, and stop, when they were asked for."""
    if wanted:
        from whoworks.simulate.worlds import WORLDS

        for name, world in WORLDS.items():
            typer.echo(f"{name}\n    {world.summary}")
        raise typer.Exit


@app.command()
def simulate(
    world: Annotated[str, typer.Argument(metavar="WORLD", help="The world's name.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where to write it.")] = Path("pilot"),
    students: Annotated[int, typer.Option(help="How many students.")] = 1200,
    classes: Annotated[int, typer.Option(help="In how many classes.")] = 48,
    schools: Annotated[int, typer.Option(help="In how many schools.")] = 12,
    assigned: Annotated[Assigned, typer.Option(help="What carries the arm.")] = "class",
    share: Annotated[float, typer.Option(help="Share that is offered the programme.")] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pilot.")] = 1,
    worlds: Annotated[
        bool, typer.Option("--list", callback=list_worlds, is_eager=True, help="Name the worlds there are.")
    ] = False,
) -> None:
    """Make a pilot whose truth is known.

    Writes pilot.csv, plan.toml and truth.json to DIR.
    """
    pilot = whoworks.make_pilot(
        world, students=students, classes=classes, schools=schools, assigned=assigned, share=share, seed=seed
    )
    pilot.write(out)
    typer.echo(f"{len(pilot.records):,} students of the world '{world}', with their plan and truth.")
    typer.echo(f"Pilot: {out}")


@app.command()
def doctor() -> None:
    """Show versions, threads, what is kept between runs, and fonts.

    This is what a report of a problem needs.
    """
    from whoworks.cli.doctor import describe_installation

    for what, value in describe_installation():
        typer.echo(f"{what:<22}{value}")
