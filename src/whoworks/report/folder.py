"""A report's folder, replaced as a whole: whoever kills the process finds the last report or the new one.

The files are written into a hidden sibling, which then takes the folder's
place in one system call: a rename where nothing (or an empty folder) stood,
an exchange of the two names where a report stood (renameat2 on Linux,
renamex_np on macOS). Where the system or the file system has no exchange, the
old report steps aside under ``.<name>.previous`` for the instant between two
renames; a run killed in that instant leaves it there whole, and the next run
puts it back before it does anything else.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from whoworks.errors import ReportError
from whoworks.report.manifest import NAME, read_manifest

AT_FDCWD = -100
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2 and RENAME_SWAP of renamex_np
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV}


def require_writable(out: Path) -> Path:
    """Return the folder to write, or raise: a file, a place closed to us, or a folder that holds something else.

    A folder that one stands in, or below, is refused: another takes its place, and the shell would stay in the old.
    """
    target = Path(os.path.realpath(out))
    if Path(os.path.realpath(os.curdir)).is_relative_to(target):
        raise ReportError(
            f"The report cannot take the place of {target.name or target}, where you stand. Give --out a folder in it, "
            "such as report, or start from the folder above."
        )
    above = next(place for place in target.parents if place.exists())
    if not above.is_dir():
        raise refuse(out, NotADirectoryError(errno.ENOTDIR, f"{above.name} is a file"))
    if not os.access(above, os.W_OK | os.X_OK):
        raise refuse(out, PermissionError(errno.EACCES, "permission denied"))
    restore(target)
    if target.exists() and not target.is_dir():
        raise ReportError(f"{out} is a file, and a report is a folder. Give --out another name.")
    try:
        occupied = target.is_dir() and any(target.iterdir())
    except OSError as error:
        raise refuse(out, error) from error
    if occupied and read_manifest(target) is None:
        raise ReportError(
            f"{out} already holds files that are not a report of ours (there is no manifest.json by whoworks). "
            "Nothing was touched; name an empty or a new folder."
        )
    return target


def publish(files: Mapping[str, bytes], target: Path) -> None:
    """Put `files` in place of what whoworks last wrote in `target`; anyone else's files there stay."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        clear_leftovers(target)
        with built_beside(target) as build:
            write_files(files, build)
            keep_others(target, build, files)
            take_place(build, target)
    except OSError as error:
        raise refuse(target, error) from error


def refuse(out: Path, error: OSError) -> ReportError:
    """Return the sentence for a folder that cannot be written."""
    why = (error.strerror or type(error).__name__).lower()
    return ReportError(
        f"The report cannot be written to {out} ({why}). The report is built beside that folder and moved into place; "
        "choose a folder whose parent can be written."
    )


@contextlib.contextmanager
def built_beside(target: Path) -> Iterator[Path]:
    """Yield a new hidden sibling of `target`, locked while in use; whatever bears its name afterwards is removed."""
    build = target.with_name(f"{building_prefix(target)}{secrets.token_hex(6)}")
    build.mkdir()
    lock = acquire(build)
    try:
        yield build
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(build, ignore_errors=True)


def building_prefix(target: Path) -> str:
    """Return how the names of a folder's unfinished siblings begin."""
    return f".{target.name}.building-"


def acquire(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; None where it is in use, or the system has no such locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def clear_leftovers(target: Path) -> None:
    """Remove unfinished siblings that killed runs left behind; one that is still being built is locked."""
    for sibling in target.parent.iterdir():
        if sibling.name.startswith(building_prefix(target)) and sibling.is_dir():
            lock = acquire(sibling)
            if lock is not None:
                os.close(lock)
                shutil.rmtree(sibling, ignore_errors=True)


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write every file, making the folders between."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def keep_others(target: Path, build: Path, files: Mapping[str, bytes]) -> None:
    """Bring what is neither in the old manifest nor in the new report into the new folder, by link where possible."""
    if not target.is_dir():
        return
    manifest = read_manifest(target)
    ours = {NAME, *files, *(manifest["files"] if manifest else ())}
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target)
        if path.is_dir() and not path.is_symlink():
            if not any(inside.is_file() for inside in path.rglob("*")):
                (build / name).mkdir(parents=True, exist_ok=True)
        elif name.as_posix() not in ours:
            (build / name).parent.mkdir(parents=True, exist_ok=True)
            copy_or_link(path, build / name)


def copy_or_link(source: Path, copy: Path) -> None:
    """Give a file a second name, or copy it where the file system cannot."""
    try:
        os.link(source, copy, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, copy, follow_symlinks=False)


def take_place(build: Path, target: Path) -> None:
    """Let the built folder take the target's name, in one step wherever the system knows how."""
    if not target.exists():
        build.rename(target)
    elif not exchange(build, target):
        step_aside(build, target)


def exchange(first: Path, second: Path) -> bool:
    """Exchange two names atomically; False where the system or the file system cannot."""
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "win32":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        failed = library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE)
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, EXCHANGE)
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code))


def previous(target: Path) -> Path:
    """Return where a report stands for the instant in which another takes its place without an exchange."""
    return target.with_name(f".{target.name}.previous")


def step_aside(build: Path, target: Path) -> None:
    """Replace a folder by two renames; the old one comes back if the second fails."""
    aside = previous(target)
    shutil.rmtree(aside, ignore_errors=True)
    target.rename(aside)
    try:
        build.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def restore(target: Path) -> None:
    """Put back a report that a killed run had moved aside."""
    aside = previous(target)
    if aside.is_dir() and not target.exists() and read_manifest(aside) is not None:
        with contextlib.suppress(OSError):
            aside.rename(target)
