"""Files written whole: what stops a run leaves what was there before, and never half a file."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path


def write_whole(files: Mapping[Path, str]) -> None:
    """Write texts as UTF-8: each beside its place, and none is moved into it before all are written.

    Raises
    ------
    OSError
        Naming the file that could not be written.
    """
    places = {path: Path(os.path.realpath(path)) for path in files}
    parts = {path: place.with_name(f".{secrets.token_hex(6)}.part") for path, place in places.items()}
    try:
        for path, text in files.items():
            with naming(path):
                parts[path].write_bytes(text.encode())
        for path, place in places.items():
            with naming(path):
                parts[path].replace(place)
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let what the operating system refuses name the file that was asked for."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
