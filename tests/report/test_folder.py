"""A report's folder is replaced as a whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.report.harbour import make_evidence
from whoworks.errors import ReportError
from whoworks.report import folder as swap
from whoworks.report.folder import publish, require_writable
from whoworks.report.manifest import NAME
from whoworks.report.write import report_folder, slug, write_report

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10


def files(mark: str, *names: str) -> dict[str, bytes]:
    """Return a small report with its manifest."""
    made = {name: f"{mark} {name}".encode() for name in names or ("report.pdf", "figures/forest.svg")}
    manifest = {"written_by": "whoworks", "files": {name: hashlib.sha256(c).hexdigest() for name, c in made.items()}}
    return {**made, NAME: json.dumps(manifest).encode()}


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(params=["exchange", "two renames"])
def system(request, monkeypatch) -> str:
    """The system's own way to exchange folders, and the way of one that has none."""
    if request.param == "two renames":
        monkeypatch.setattr(swap, "exchange", lambda first, second: False)
    return request.param


def test_a_report_appears_where_nothing_stood(tmp_path, system):
    publish(files("one"), tmp_path / "deep" / "out")
    assert read(tmp_path / "deep" / "out") == files("one")


def test_a_report_replaces_the_last_one_and_leaves_no_trace(tmp_path, system):
    out = tmp_path / "out"
    publish(files("one", "report.pdf", "figures/old.svg"), out)
    publish(files("two"), out)
    assert read(out) == files("two")
    assert os.listdir(tmp_path) == ["out"]


def test_an_empty_folder_is_taken(tmp_path, system):
    (tmp_path / "out").mkdir()
    publish(files("one"), require_writable(tmp_path / "out"))
    assert read(tmp_path / "out") == files("one")


def test_files_of_others_stay(tmp_path, system):
    out = tmp_path / "out"
    publish(files("one"), out)
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("mine")
    (out / "figures" / "mine.svg").write_text("mine")
    (out / "empty").mkdir()
    publish(files("two"), out)
    assert read(out) == files("two") | {"notes/mine.txt": b"mine", "figures/mine.svg": b"mine"}
    assert (out / "empty").is_dir()


def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(ReportError, match="not a report of ours"):
        require_writable(tmp_path)
    assert read(tmp_path) == {"thesis.docx": b"years of work"}


@pytest.mark.parametrize("manifest", ["{}", '{"name": "my web app"}', "not json", '{"written_by": "whoworks"}', "[]"])
def test_a_manifest_of_someone_else_is_no_licence(tmp_path, manifest):
    (tmp_path / NAME).write_text(manifest)
    with pytest.raises(ReportError, match="not a report of ours"):
        require_writable(tmp_path)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(ReportError, match="is a file"):
        require_writable(tmp_path / "out")


def test_a_place_below_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match=r"cannot be written to .*notes\.txt is a file"):
        require_writable(tmp_path / "notes.txt" / "deep" / "out")


def test_a_place_closed_to_us_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(ReportError, match=r"cannot be written to .*permission denied"):
        require_writable(tmp_path / "out")


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path, evidence):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReportError, match=r"cannot be written to .*parent"):
        write_report(evidence, tmp_path / "file" / "out")


def test_a_failed_write_leaves_the_last_report(tmp_path, monkeypatch):
    out = tmp_path / "out"
    publish(files("one"), out)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(swap, "write_files", fail)
    with pytest.raises(ReportError, match="no space left"):
        publish(files("two"), out)
    assert read(out) == files("one")
    assert os.listdir(tmp_path) == ["out"]


def test_a_report_moved_aside_by_a_killed_run_is_put_back(tmp_path):
    out = tmp_path / "out"
    publish(files("one"), out)
    out.rename(swap.previous(out))
    assert read(require_writable(out)) == files("one")


def test_leftovers_of_killed_runs_are_cleared_and_those_in_use_are_not(tmp_path):
    out = tmp_path / "out"
    stale, busy = (tmp_path / f"{swap.building_prefix(out)}{name}" for name in ("stale", "busy"))
    stale.mkdir()
    busy.mkdir()
    lock = swap.acquire(busy)
    publish(files("one"), out)
    assert not stale.exists()
    assert busy.exists()
    os.close(lock)


def test_a_link_to_a_folder_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    publish(files("one"), require_writable(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert read(tmp_path / "real") == files("one")


WRITER = """
import hashlib, json, sys
from pathlib import Path
from whoworks.report.folder import publish
print("ready", flush=True)
for turn in range(100_000):
    names = ["report.pdf", *(f"figures/{k}.svg" for k in range(30))]
    made = {name: f"{'ab'[turn % 2] * 2000} {name}".encode() for name in names}
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in made.items()}
    manifest = json.dumps({"written_by": "whoworks", "files": listed}).encode()
    publish({**made, "manifest.json": manifest}, Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signal there kills without a trace")
def test_a_run_killed_at_any_moment_leaves_one_whole_report(tmp_path):
    out = tmp_path / "out"
    names = ("report.pdf", *(f"figures/{k}.svg" for k in range(30)))
    whole = [files(mark * 2000, *names) for mark in "ab"]
    publish(whole[0], out)
    rng = random.Random(20260815)
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.005, 0.12))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert read(out) in whole


DIE = """
import json, os, sys
from pathlib import Path
from whoworks.report import folder
out, exchanges = Path(sys.argv[1]), sys.argv[2] == "exchange"
if not exchanges:
    folder.exchange = lambda first, second: False

def report(mark):
    made = {name: f"{mark} {name}".encode() for name in ("report.pdf", "figures/forest.svg")}
    manifest = {"written_by": "whoworks", "files": dict.fromkeys(made, mark)}
    return {**made, "manifest.json": json.dumps(manifest).encode()}

def read():
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}

def die_at(line):
    left = line
    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename == folder.__file__:
            left -= 1
            if left == 0:
                os._exit(9)
        return trace
    sys.settrace(trace)
    folder.publish(report("new"), out)
    sys.settrace(None)
    os._exit(0)

folder.publish(report("old"), out)
moments, code = 0, 9
while code:
    folder.publish(report("old"), out)
    moments += 1
    child = os.fork() or die_at(moments)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not exchanges:
        folder.require_writable(out)
    assert read() in (report("old"), report("new")), moments
assert read() == report("new")
print(moments)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process there cannot be copied")
@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_run_that_dies_at_any_line_leaves_one_whole_report(tmp_path, way):
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(tmp_path / "out"), way], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 60


def test_a_killed_report_leaves_the_last_ones_hashes(tmp_path, evidence):
    out = write_report(evidence, tmp_path / "out")
    before = read(out)
    code = (
        "import sys; from pathlib import Path; from tests.report.harbour import make_small;"
        "from whoworks.report.write import write_report; print('ready', flush=True);"
        "write_report(make_small(), Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert read(out) == before


def test_the_default_folder_names_study_plan_and_data():
    evidence = make_evidence()
    assert report_folder(evidence) == Path(
        f"reports/harbour-small-group-reading-pilot/{evidence.plan.hash[:8]}-5f5f5f5f"
    )


@pytest.mark.parametrize(("name", "said"), [("=cmd() *_#$", "cmd"), ("數學", "study"), ("../Été", "ete")])
def test_a_studys_name_makes_a_harmless_folder(name, said):
    assert slug(name) == said


@pytest.mark.parametrize("stand", ["out", "out/figures"])
def test_the_folder_one_stands_in_is_refused(tmp_path, monkeypatch, stand):
    publish(files("one"), tmp_path / "out")
    monkeypatch.chdir(tmp_path / stand)
    with pytest.raises(ReportError, match="where you stand"):
        require_writable(tmp_path / "out")
    assert require_writable(tmp_path / "out" / "figures" / "new") == tmp_path / "out" / "figures" / "new"
