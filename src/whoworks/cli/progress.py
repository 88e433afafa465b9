"""Progress on stderr: the stage and the time left, silent when nobody is watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]


@contextmanager
def stage_bar() -> Iterator[Progress]:
    """Yield a function of a stage's name and the share of it that is done."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    shape = (TextColumn("{task.description:<28}"), BarColumn(bar_width=24), TimeRemainingColumn())
    with Bars(*shape, console=console, transient=True, disable=not console.is_terminal) as bars:
        current = bars.add_task("", total=1.0)

        def show(stage: str, share: float) -> None:
            if bars.tasks[current].description != stage:
                bars.reset(current, description=stage)
            bars.update(current, completed=share)

        yield show
