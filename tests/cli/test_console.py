"""Messages and progress bars on stderr."""

import io
import signal
import sys
import time
import warnings
from collections.abc import Callable

import pytest

from gaussmix.cli import console
from gaussmix.errors import CompiledCodeWarning


class Terminal(io.StringIO):
    """Takes what is printed and says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def _replace_stderr_by_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal as stderr; not a fixture, since pytest gives every test a stderr of its own afterwards."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def test_a_message_is_wrapped_for_a_terminal_and_one_line_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _replace_stderr_by_terminal(monkeypatch)
    message = "word " * 30 + "/a/path-with-hyphens/" + "x" * 90
    console.print_error(message)
    lines = terminal.getvalue().splitlines()
    assert lines[0].startswith("Error: word word")
    assert len(lines[0]) < 80
    assert lines[-1] == "/a/path-with-hyphens/" + "x" * 90
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stderr", plain)
    console.print_note(message)
    assert plain.getvalue() == f"Note: {message}\n"


def test_the_progress_bar_appears_after_a_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _replace_stderr_by_terminal(monkeypatch)
    monkeypatch.setattr(console, "_SECONDS_BEFORE_PROGRESS_BAR", 0.0)
    with console.progress_bar("fitting") as update:
        update(3, 7, "VVV, 2 components")
        _wait_for(lambda: "3/7" in terminal.getvalue())
    assert "fitting: VVV, 2 components" in terminal.getvalue()


def test_a_progress_bar_without_steps_shows_time(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _replace_stderr_by_terminal(monkeypatch)
    monkeypatch.setattr(console, "_SECONDS_BEFORE_PROGRESS_BAR", 0.0)
    with console.progress_bar("reading data.csv"):
        _wait_for(lambda: "reading data.csv" in terminal.getvalue())


def test_a_progress_bar_says_what_happens_before_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _replace_stderr_by_terminal(monkeypatch)
    monkeypatch.setattr(console, "_SECONDS_BEFORE_PROGRESS_BAR", 0.0)
    with console.progress_bar("fitting", "preparing starts"):
        _wait_for(lambda: "fitting: preparing starts" in terminal.getvalue())


def test_quick_work_shows_no_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _replace_stderr_by_terminal(monkeypatch)
    with console.progress_bar("fitting") as update:
        update(3, 7, "VVV, 2 components")
    assert terminal.getvalue() == ""


def test_no_progress_bar_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(console, "_SECONDS_BEFORE_PROGRESS_BAR", 0.0)
    with console.progress_bar("fitting") as update:
        update(3, 7, "VVV, 2 components")
        time.sleep(0.1)
    assert stream.getvalue() == ""


def test_a_failure_removes_the_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _replace_stderr_by_terminal(monkeypatch)
    monkeypatch.setattr(console, "_SECONDS_BEFORE_PROGRESS_BAR", 0.0)

    def work() -> None:
        with console.progress_bar("fitting"):
            _wait_for(lambda: "fitting" in terminal.getvalue())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert terminal.getvalue().endswith("\x1b[2K"), "the last thing that a bar does is to clear its line"


def _wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the bar did not appear")


def test_a_swallowed_interrupt_ends_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(console, "_received_interrupts", [])
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.install_interrupt_handler()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with console.progress_bar("fitting") as update, pytest.raises(KeyboardInterrupt):
            update(0, 2, "a step")
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_interrupt_handlers_are_kept() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.install_interrupt_handler()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_own_warnings_are_notes_and_others_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    with warnings.catch_warnings():
        monkeypatch.setattr(warnings, "showwarning", lambda message, *rest, **options: shown.append(str(message)))
        console.print_warnings_as_notes()
        warnings.simplefilter("always")
        warnings.warn("no library", CompiledCodeWarning, stacklevel=1)
        warnings.warn("old function", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == "Note: no library\n"
    assert shown == ["old function"]
