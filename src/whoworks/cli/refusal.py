"""How the command line says that something cannot be done: a sentence and an exit code, never a trace.

A trace, and above all a trace with local variables, would put students'
records on a screen or into a log.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import textwrap
from pathlib import Path
from types import TracebackType

USER_ERROR = 2
DEBUG = "WHOWORKS_DEBUG"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def tolerate_any_terminal() -> None:
    """Write a question mark where a terminal cannot show a letter; a minus sign must not cost a report."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def tolerate_any_reader() -> None:
    """End as other programs do when whoever reads the output, such as ``head``, has read enough."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def say(message: str) -> None:
    """Write a message to stderr; on a terminal its first line, the sentence, is wrapped between words."""
    first, *rest = message.splitlines() or [""]
    if sys.stderr.isatty():
        first = textwrap.fill(first, width=min(100, os.get_terminal_size(sys.stderr.fileno()).columns))
    sys.stderr.write("\n".join([first, *rest]) + "\n")


def file_sentence(error: OSError) -> str:
    """Say what the operating system refused, naming the file and not the folders above it."""
    what = Path(str(error.filename)).name if error.filename else "a file"
    why = (error.strerror or type(error).__name__).lower()
    other = "make room there" if error.errno in NO_ROOM else "change its permissions"
    return f"'{what}' cannot be read or written: {why}. Choose another place, or {other}."


def tell_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Stand in for Python's trace: the error's class and place, never its message or values."""
    if os.environ.get(DEBUG) == "1":
        sys.__excepthook__(kind, error, trace)
        return
    where = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("whoworks."):
            where = f" in {module}, line {trace.tb_lineno}"
        trace = trace.tb_next
    say(
        f"whoworks met something it does not expect: {kind.__name__}{where}. This is a mistake of ours. Please report "
        f"it with that place and what 'whoworks doctor' says. {DEBUG}=1 shows the trace, which may quote your data."
    )
