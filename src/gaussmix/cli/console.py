"""What is printed besides the answer: errors and notes on stderr, and a bar for work that takes long."""

import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import typer

Update = Callable[[int, int, str], None]
"""Tells a bar the steps done, the steps in all, and the name of the next."""

_PATIENCE = 1.0  # seconds before a bar appears


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def say(message: str) -> None:
    """One message on stderr: wrapped for a terminal, one line for anything else."""
    if sys.stderr.isatty():
        message = textwrap.fill(message, width() - 1, break_long_words=False, break_on_hyphens=False)
    typer.echo(message, err=True)


def error(message: str) -> None:
    """Why a command failed."""
    say(f"Error: {message}")


def note(message: str) -> None:
    """Something to know that is no failure."""
    say(f"Note: {message}")


def notes(messages: Iterable[str]) -> None:
    """Several notes, each on a line of its own."""
    for message in messages:
        note(message)


_interrupts: list[int] = []


def mind_interrupts() -> None:
    """Remember Ctrl-C: code of others that calls back may lose the exception, and work then ends at its next step."""

    def interrupt(number: int, frame: object) -> None:
        _interrupts.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # nobody else has a mind of his own
        signal.signal(signal.SIGINT, interrupt)


@contextmanager
def progress(what: str) -> Iterator[Update]:
    """A bar on stderr that appears once the work has taken a second, if stderr is a terminal.

    Without an update the bar only shows that time passes. It is gone when the work is done.
    """

    def minding(update: Update) -> Update:
        def told(done: int, total: int, name: str) -> None:
            if _interrupts:
                raise KeyboardInterrupt
            update(done, total, name)

        return told

    if not sys.stderr.isatty():
        yield minding(lambda done, total, name: None)
        return
    from gaussmix.selection.bar import bar

    with bar(what, _PATIENCE) as update:
        yield minding(update)
