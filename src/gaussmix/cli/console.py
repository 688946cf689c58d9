"""What is printed besides the answer: errors and notes on stderr, and a bar for work that takes long."""

import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import typer

ProgressCallback = Callable[[int, int, str], None]
"""Tells a bar the steps done, the steps in all, and the name of the next."""

_SECONDS_BEFORE_PROGRESS_BAR = 1.0  # seconds before a bar appears


def terminal_width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def print_stderr(message: str) -> None:
    """One message on stderr: wrapped for a terminal, one line for anything else."""
    if sys.stderr.isatty():
        message = textwrap.fill(message, terminal_width() - 1, break_long_words=False, break_on_hyphens=False)
    typer.echo(message, err=True)


def print_error(message: str) -> None:
    """Why a command failed."""
    print_stderr(f"Error: {message}")


def print_note(message: str) -> None:
    """Something to know that is no failure."""
    print_stderr(f"Note: {message}")


def print_notes(messages: Iterable[str]) -> None:
    """Several notes, each on a line of its own."""
    for message in messages:
        print_note(message)


_received_interrupts: list[int] = []


def install_interrupt_handler() -> None:
    """Remember Ctrl-C: code of others that calls back may lose the exception, and work then ends at its next step."""

    def interrupt(number: int, frame: object) -> None:
        _received_interrupts.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # nobody else has a mind of his own
        signal.signal(signal.SIGINT, interrupt)


@contextmanager
def progress_bar(title: str) -> Iterator[ProgressCallback]:
    """A bar on stderr that appears once the work has taken a second, if stderr is a terminal.

    Without an update the bar only shows that time passes. It is gone when the work is done.
    """

    def minding(update: ProgressCallback) -> ProgressCallback:
        def told(done: int, total: int, name: str) -> None:
            if _received_interrupts:
                raise KeyboardInterrupt
            update(done, total, name)

        return told

    if not sys.stderr.isatty():
        yield minding(lambda done, total, name: None)
        return
    from gaussmix.selection.progress import progress_bar as rich_progress_bar

    with rich_progress_bar(title, _SECONDS_BEFORE_PROGRESS_BAR) as update:
        yield minding(update)
