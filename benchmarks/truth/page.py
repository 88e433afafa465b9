"""The page of the table: what was run on what, the pictures, every bar, every miss with its explanation."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from benchmarks.truth.bars import BARS, Bar, bar_of
from benchmarks.truth.breaks import BREAKS
from benchmarks.truth.cells import Cell, all_cells
from benchmarks.truth.diagnosands import Diagnosand
from benchmarks.truth.explanations import explain
from benchmarks.truth.figures import draw_figures
from benchmarks.truth.published import Published
from benchmarks.truth.table import DOCS, KEY, TABLE, as_numbers, read_table

PAGE = DOCS / "truth.md"
FIGURES = DOCS / "figures"
BROKEN = DOCS / "truth_breaks.csv"
PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "numba", "econml", "joblib")


def write_page(published: Published, *, page: Path = PAGE, figures: Path = FIGURES) -> None:
    """Write the page from the table."""
    rows = as_numbers(published.rows)
    drawn = draw_figures(rows, figures)
    parts = [
        *_head(published), *_bars(published, rows), *_misses(rows), *_pictures(drawn, page), *_peers(rows), *_breaks(),
        *_times(rows), *_cells(published),
    ]  # fmt: skip
    page.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8", newline="\n")


def _head(published: Published) -> list[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    codes = sorted(set(" ".join(published.reached["codes"]).split()))
    done = published.reached
    return [
        "# The truth table",
        "",
        "How often whoworks errs, measured in worlds whose truth is known (`src/whoworks/simulate/`), by the same "
        "road as a report takes, rendering apart. All numbers are in [truth.csv](truth.csv), one row per cell, "
        "procedure and diagnosand, effects in SD of the outcome, with Monte-Carlo error and 99.9 % Monte-Carlo "
        "interval (`low`, `high`).",
        "",
        f"Written on {datetime.date.today()} by `make truth`: {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{sys.version_info.major}.{sys.version_info.minor}, {packages}; code of commits {', '.join(codes) or 'none'}. "
        f"{len(done)} of {len(all_cells())} cells have replicates; the last table says how many each has. "
        "A run on any machine goes on after the replicates that the table holds ([truth_cells.csv](truth_cells.csv)); "
        "`make truth TRUTH=--anew` starts from none. "
        "Replicates are kept over commits that leave planned findings as they are. Those that predict effects were all "
        "run anew after [decision 30](decisions/0030-a-blocks-level-tells-nothing-of-its-difference.md), and whatever "
        "[decision 31](decisions/0031-traits-of-clusters-compete-for-the-prognosis.md) and "
        "[decision 32](decisions/0032-a-trait-of-schools-counts-schools.md) move after them.",
        "",
        "Replicate r has the same seed in every cell, so that procedures answer on the same data and cells of one "
        "layout share their students. The first replicates of named cells predict effects too (500 trees asked for, "
        "all seven moderators of the pilot); the others ask for no predictions, the planned moderators, sex and the "
        "fall score, and estimate claims on one deal of the folds, so that rates of claims are at most too high.",
        "",
        "What an interval should cover: where arms are drawn within schools as blocks, the effect over all classes "
        "that these schools could have had, since blocks are absorbed and the classes are what is counted; where "
        "students are drawn within fewer than ten schools, that of these classes; else that of all schools of the "
        "world ([decision 20](decisions/0020-what-intervals-speak-of.md)). Nulls are those of the world.",
        "",
    ]  # fmt: skip


def _cell_of(row: pd.Series) -> Cell | None:
    key = (row["world"], row["assigned"], int(row["clusters"]), float(row["icc"]))
    return next((cell for cell in all_cells() if cell.key == key), None)


def _barred(rows: pd.DataFrame) -> list[tuple[Cell, Bar, pd.Series]]:
    found = []
    for _, row in rows[rows["met"] != ""].iterrows():
        cell = _cell_of(row)
        one = Diagnosand(
            procedure=row["procedure"], name=row["diagnosand"], replicates=int(row["replicates"]), value=row["value"],
            mc_error=row["mc_error"], low=row["low"], high=row["high"],
        )  # fmt: skip
        bar = None if cell is None else bar_of(cell, one)
        if cell is not None and bar is not None:
            found.append((cell, bar, row))
    return found


def _progress(published: Published) -> list[str]:
    """Say how much of the plan is done, and what so many replicates can tell."""
    done = [published.of(cell) for cell in all_cells()]
    planned = [(cell.replicates - cell.forest_replicates, cell.forest_replicates) for cell in all_cells()]
    behind = sum(own < asked for own, asked in zip(done, planned, strict=True))
    made, wanted = ([f"{sum(own[k] for own in each):,}" for k in (0, 1)] for each in (done, planned))
    if not behind:
        return [
            f"The full run: {made[0]} replicates without predicted effects, {made[1]} with, in {len(done)} cells.",
            "",
        ]
    plain, forest = (f"{own} of {asked}" for own, asked in zip(made, wanted, strict=True))
    fewest = min(sum(own) for own in done)
    reach = 3.29 * (0.95 * 0.05 / max(fewest, 1)) ** 0.5
    return [
        f"Done so far: {plain} replicates without predicted effects, {forest} with. {behind} of {len(done)} cells go "
        f"on; the fewest replicates of a cell are {fewest}, with which a 99.9 % interval about a coverage of .95 is "
        f"{reach:.3f} wide to either side. The means speak of all cells together.", "",
    ]  # fmt: skip


def _bars(published: Published, rows: pd.DataFrame) -> list[str]:
    lines = [
        "## The bars", "",
        "A bar is missed where the 99.9 % Monte-Carlo interval lies wholly outside it. A rate below .05 where .05 is "
        "asked is a miss too: the test is then safe and has less power than it could.", "",
        *_progress(published),
        "| bar | asked | cells and diagnosands | met | missed above | missed below | mean | smallest | largest |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    barred = _barred(rows)
    for bar in BARS:
        own = [row for _, one, row in barred if one is bar]
        if not own:
            continue
        values = pd.Series([row["value"] for row in own])
        above = sum(row["low"] > bar.high for row in own)
        below = sum(row["high"] < bar.low for row in own)
        asked = f"{bar.low:g}" if bar.low == bar.high else f"{bar.low:g} to {bar.high:g}"
        lines.append(
            f"| {bar.words} | {asked} | {len(own)} | {len(own) - above - below} | {above} | {below} | "
            f"{values.mean():.3f} | {values.min():.3f} | {values.max():.3f} |"
        )
    return [*lines, ""]


def _misses(rows: pd.DataFrame) -> list[str]:
    missed = [(cell, bar, row) for cell, bar, row in _barred(rows) if row["met"] == "no"]
    if not missed:
        return ["## Misses", "", "None among the cells run so far.", ""]
    lines = [
        "## Misses, and why", "", "| cell | diagnosand | value | 99.9 % interval | replicates | why |",
        "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for cell, bar, row in missed:
        alike = rows.merge(pd.DataFrame([cell.key], columns=KEY).drop(columns="clusters"))
        own, larger = alike[alike["clusters"] == cell.clusters], alike[alike["clusters"] > cell.clusters]
        lines.append(
            f"| {_words(cell)} | {row['diagnosand']} | {row['value']:.3f} | {row['low']:.3f} to {row['high']:.3f} | "
            f"{row['replicates']} | {explain(cell, bar, row, own, larger)} |"
        )
    return [*lines, ""]


def _words(cell: Cell) -> str:
    return f"{cell.world}; {cell.assigned}; {cell.clusters}; ICC {cell.icc:g}"


def _pictures(drawn: list[Path], page: Path) -> list[str]:
    words = {
        "truth_size": "Size by number of clusters, ours and the peers'",
        "truth_coverage": "Coverage of 95 % intervals in every cell",
        "truth_power": "Power beside that of an oracle",
    }
    lines = ["## Pictures", ""]
    for path in drawn:
        lines += [f"![{words[path.stem]}]({path.relative_to(page.parent).as_posix()})", ""]
    return lines


def _peers(rows: pd.DataFrame) -> list[str]:
    """Tell the peers' errors where nothing recorded matters and classes carry the arm."""
    own = rows[(rows["world"] == "class-varying") & (rows["assigned"] == "class") & (rows["icc"] == 0.2)]
    wanted = {
        "average: coverage": "average covers", "difference frl: size": "size, student moderator",
        "difference devices: size": "size, class moderator",
    }  # fmt: skip
    own = own[own["diagnosand"].isin(wanted)]
    lines = [
        "## Beside others, on the same data", "",
        "World `class-varying`, classes assigned, ICC .2: effects vary over classes along nothing recorded. Value "
        "(Monte-Carlo error). EconML's forest is used as its documentation shows it: nuisances learned, folds of rows, "
        "`ate_inference` over all and within groups. So is R's grf, clusters named, where R has it: nuisances learned, "
        "`average_treatment_effect`, and `best_linear_projection` on the group. It was asked here in R 4.2, "
        "with the C++ core of grf 2.0.0 under R code of its 2.x versions put together by hand, since no registry of R "
        "packages was within reach.", "",
        f"| procedure | clusters | replicates | {' | '.join(wanted.values())} |",
        "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for (procedure, clusters), part in own.groupby(["procedure", "clusters"], sort=False):
        part = part.set_index("diagnosand")
        told = [
            f"{part.loc[name, 'value']:.3f} ({part.loc[name, 'mc_error']:.3f})" if name in part.index else ""
            for name in wanted
        ]
        lines.append(f"| {procedure} | {clusters} | {part['replicates'].max()} | {' | '.join(told)} |")
    return [*lines, ""]


def _breaks() -> list[str]:
    if not BROKEN.exists():
        return []
    rows = read_table(BROKEN)
    lines = [
        "## Broken on purpose", "",
        "`python -m benchmarks.truth --break NAME` replaces one part of the method by what is often done instead. "
        "The named diagnosand of the named cell then misses its bar, as it should. The first columns are the method "
        "as it is.",
        "",
        "| break | in its place | cell | diagnosand | as it is | broken (Monte-Carlo error) | replicates | bar |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    table = read_table(TABLE)
    for _, row in rows.iterrows():
        broken = BREAKS[row["procedure"]]
        same = table[(table["procedure"] == "whoworks") & (table["diagnosand"] == row["diagnosand"])]
        for name, value in zip(KEY, broken.cell, strict=True):
            same = same[same[name] == value]
        whole = f"{same['value'].iloc[0]:.3f}" if len(same) else "not run yet, or never assessable"
        cell = f"{row['world']}; {row['assigned']}; {row['clusters']}; ICC {row['icc']:g}"
        verdict = {"no": "missed, as it should be", "yes": "met"}[row["met"]]
        lines.append(
            f"| {row['procedure']} | {broken.words} | {cell} | {row['diagnosand']} | {whole} | "
            f"{row['value']:.3f} ({row['mc_error']:.3f}) | {row['replicates']} | {verdict} |"
        )
    return [*lines, ""]


STAGES = ("checks", "prognosis", "predicted effects", "findings")
FIRST = ("seconds", "seconds with predictions")


def _times(rows: pd.DataFrame) -> list[str]:
    own = rows[rows["diagnosand"].str.startswith("seconds")]
    took = {cell: _told_of(own, cell) for cell in all_cells()}
    lines = [
        "## Time of a replicate, and where it goes", "",
        "Seconds of one processor, on machines shared with other work (which lengthens them); the pilot is drawn "
        "beforehand. Stages are shared out by the clock; reading and the panel count in each in proportion. "
        + whole_run(took), "",
        f"| cell | students | without predictions | {' | '.join(STAGES)} | with | {' | '.join(STAGES)} |",
        "| --- | --- |" + " --- |" * (2 + 2 * len(STAGES)),
    ]  # fmt: skip
    for cell, told in took.items():
        if cell.forest_replicates and told:
            names = [f"{first}{stage}" for first in FIRST for stage in ("", *(f", {one}" for one in STAGES))]
            cells = " | ".join(f"{told[name]:.2f}" if name in told else "" for name in names)
            lines.append(f"| {_words(cell)} | {cell.layout.students} | {cells} |")
    return [*lines, ""]


def _told_of(rows: pd.DataFrame, cell: Cell) -> dict[str, float]:
    """Return a cell's values by diagnosand."""
    part = rows.merge(pd.DataFrame([cell.key], columns=KEY))
    return dict(zip(part["diagnosand"], part["value"], strict=True))


def whole_run(took: dict[Cell, dict[str, float]]) -> str:
    """Say how long all planned replicates take at the seconds measured; nothing while some cell has none."""
    plain, forest = FIRST
    if not all(plain in told and (forest in told or not cell.forest_replicates) for cell, told in took.items()):
        return ""
    seconds = sum(
        (cell.replicates - cell.forest_replicates) * told[plain] + cell.forest_replicates * told.get(forest, 0.0)
        + cell.replicates * told["seconds to draw"]
        for cell, told in took.items()
    )  # fmt: skip
    return (
        f"At these seconds all planned replicates, peers apart, take {seconds / 3600:.1f} processor hours, "
        f"{seconds / 7200:.1f} hours on two cores."
    )


def _cells(published: Published) -> list[str]:
    lines = [
        "## Cells and their replicates", "",
        "Planned and done, without and with predictions; `students` are those of a pilot.", "",
        "| world | assigned | clusters | ICC | students | done | planned | with predictions, done | planned |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for cell in all_cells():
        plain, forest = published.of(cell)
        lines.append(
            f"| {cell.world} | {cell.assigned} | {cell.clusters} | {cell.icc:g} | {cell.layout.students} | {plain} | "
            f"{cell.replicates - cell.forest_replicates} | {forest} | {cell.forest_replicates} |"
        )
    return [*lines, ""]
