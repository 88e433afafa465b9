"""The command line refuses with a sentence and an exit code, never with a trace."""

from __future__ import annotations

import io
import signal
import subprocess
import sys

import pytest

from whoworks import cli, errors
from whoworks.cli import commands, refusal


def raising(error):
    """Return a command that fails."""

    def fail(**_):
        raise error

    return fail


@pytest.fixture
def failing(monkeypatch, whoworks):
    """Make `whoworks doctor` fail with an error of choice, and return its answer."""
    import whoworks.cli.doctor as doctor

    def fail_with(error):
        monkeypatch.setattr(doctor, "describe_installation", lambda: raising(error)())
        return whoworks("doctor")

    return fail_with


def test_a_mistake_of_the_user_s_is_a_sentence_and_exit_2(failing):
    answer = failing(errors.PlanError("The plan names no arm."))
    assert (answer.code, answer.out, answer.err) == (2, "", "The plan names no arm.\n")


def test_a_design_that_cannot_carry_the_question_is_exit_3(failing):
    assert failing(errors.InfeasibleError("One arm.")).code == 3


def test_a_file_that_cannot_be_written_is_a_sentence_without_its_folder(failing):
    answer = failing(PermissionError(13, "Permission denied", "/secret/place/report.pdf"))
    assert answer.code == 2
    assert answer.err.startswith("'report.pdf' cannot be read or written: permission denied.")
    assert "secret" not in answer.err


def test_the_keyboard_stops_it_with_130(failing):
    assert failing(KeyboardInterrupt()).code == 130


def test_the_keyboard_stops_it_with_130_while_it_is_being_loaded(monkeypatch):
    monkeypatch.setattr(commands, "main", lambda: raising(KeyboardInterrupt())())
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 130


def test_nothing_is_loaded_before_the_keyboard_can_stop_it():
    program = "import sys; from whoworks.cli import main; print([m for m in sys.modules if m.startswith('typer')])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_a_reader_who_has_read_enough_ends_it_quietly():
    program = "import sys; from whoworks.cli import main; sys.argv = ['whoworks', 'doctor']; main()"
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipe) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


def test_an_unknown_command_names_the_nearest_one(whoworks):
    answer = whoworks("reprot", "plan.toml")
    assert answer.code == 2
    assert "report" in answer.err


def test_no_command_at_all_shows_the_help(whoworks):
    answer = whoworks()
    assert "Usage: whoworks" in answer.out + answer.err


PROGRAM = """
import whoworks.cli.doctor as doctor
from whoworks.cli import main
def broken():
    secret = "Zebulon Quux"
    raise ValueError(secret)
doctor.describe_installation = broken
import sys
sys.argv = ["whoworks", "doctor"]
main()
"""


@pytest.mark.parametrize(("debug", "told"), [("", False), ("1", True)])
def test_a_mistake_of_ours_is_a_sentence_and_exit_1_and_its_trace_is_for_debugging(debug, told):
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={"PATH": "", "WHOWORKS_DEBUG": debug, "PYTHONWARNINGS": "error"},
        check=False,
    )
    assert answer.returncode == 1
    assert ("Traceback" in answer.stderr) is told
    assert ("Zebulon" in answer.stderr) is told
    assert ("does not expect: ValueError in whoworks.cli.commands, line" in answer.stderr) is not told


def test_a_sentence_is_wrapped_on_a_terminal_and_the_line_to_paste_is_not(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

        def fileno(self):
            return 1

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(refusal.os, "get_terminal_size", lambda _: refusal.os.terminal_size((40, 24)))
    paste = "values = { " + "x" * 60 + " }"
    refusal.say(f"The plan says something that is long enough to need two lines of forty.\n{paste}")
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines[:-1])) <= 40
    assert lines[-1] == paste


def test_help_of_every_command_fits_80_columns_and_names_no_code(whoworks, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("demo", "init", "check", "report", "simulate", "doctor"):
        answer = whoworks(command, "--help")
        assert answer.code == 0
        assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert commands.app.info.help


def test_a_terminal_that_knows_no_minus_sign_gets_a_question_mark():
    program = "from whoworks.cli import refusal; refusal.tolerate_any_terminal(); print('\u22120.3')"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env={"PATH": "", "PYTHONIOENCODING": "ascii"}, check=True
    )
    assert answer.stdout.split() == [b"?0.3"]
