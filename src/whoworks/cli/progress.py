"""Progress on stderr: the stage, the time spent and the time left; silent when nobody is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]


@contextmanager
def stage_bar() -> Iterator[Progress]:
    """Yield a function of a stage's name and the share of it that is done."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    shape = (
        TextColumn("{task.description:<18}"), BarColumn(bar_width=24),
        TimeElapsedColumn(), TextColumn("spent,"), TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    with Bars(*shape, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        current = bars.add_task("", total=1.0)

        def show(stage: str, share: float) -> None:
            if bars.tasks[current].description != stage:
                bars.reset(current, description=stage)
            bars.update(current, completed=share)

        yield show
