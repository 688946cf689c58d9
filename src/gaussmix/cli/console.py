"""Messages and progress bars on stderr, and Ctrl-C."""

import shutil
import signal
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

# Called with the number of finished steps, the number of all steps, and the name of the next step.
ProgressCallback = Callable[[int, int, str], None]

_SECONDS_BEFORE_PROGRESS_BAR = 1.0


def terminal_width() -> int:
    """Return the width of the terminal in characters; 80 if there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def print_stderr(message: str) -> None:
    """Print a message on stderr, wrapped if stderr is a terminal."""
    if sys.stderr.isatty():
        message = textwrap.fill(message, terminal_width() - 1, break_long_words=False, break_on_hyphens=False)
    typer.echo(message, err=True)


def print_error(message: str) -> None:
    """Print ``Error:`` and a message on stderr; the caller ends the command."""
    print_stderr(f"Error: {message}")


def print_note(message: str) -> None:
    """Print ``Note:`` and a message on stderr."""
    print_stderr(f"Note: {message}")


def print_notes(messages: Iterable[str]) -> None:
    """Print each message on a line of its own on stderr, after ``Note:``."""
    for message in messages:
        print_note(message)


@contextmanager
def hide_data_warnings() -> Iterator[None]:
    """Hide Python's output of warnings on data and fits within the block; the commands print their sentences."""
    from gaussmix.errors import DataWarning, DegenerateFitWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        warnings.simplefilter("ignore", DegenerateFitWarning)
        yield


@contextmanager
def print_data_warnings() -> Iterator[list[str]]:
    """Print Python's warnings on data within the block as notes at its end, and add them to the list."""
    from gaussmix.errors import DataWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        printed: list[str] = []
        yield printed
    for warning in caught:
        if issubclass(warning.category, DataWarning):
            printed.append(str(warning.message))
            print_note(printed[-1])
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def print_warnings_as_notes() -> None:
    """Print the package's own warnings as notes from now on, without the line of code that they come from."""
    from gaussmix.errors import GaussmixWarning

    show_other_warning = warnings.showwarning

    def show_warning(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        """Print a note, or what Python prints of another package's warning."""
        if issubclass(category, GaussmixWarning):
            print_note(str(message))
        else:
            show_other_warning(message, category, *place, **options)

    warnings.showwarning = show_warning


_received_interrupts: list[int] = []


def install_interrupt_handler() -> None:
    """Handle Ctrl-C so that, if another package swallows it, the next progress step raises it again."""

    def record_and_raise_interrupt(number: int, frame: object) -> None:
        """Handle Ctrl-C: record its signal number, and raise KeyboardInterrupt."""
        _received_interrupts.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # no other handler is installed
        signal.signal(signal.SIGINT, record_and_raise_interrupt)


@contextmanager
def progress_bar(title: str, first_step: str = "") -> Iterator[ProgressCallback]:
    """Show a progress bar on stderr after one second, if stderr is a terminal; yield its callback.

    The bar shows ``first_step`` and the elapsed time until the callback is called, and disappears at the end.
    """

    def with_interrupt_check(callback: ProgressCallback) -> ProgressCallback:
        """Return a callback that raises KeyboardInterrupt after Ctrl-C, and else calls ``callback``."""

        def call_unless_interrupted(n_done: int, n_total: int, step_name: str) -> None:
            if _received_interrupts:
                raise KeyboardInterrupt
            callback(n_done, n_total, step_name)

        return call_unless_interrupted

    if not sys.stderr.isatty():
        yield with_interrupt_check(lambda n_done, n_total, step_name: None)
        return
    from gaussmix.selection.progress import progress_bar as rich_progress_bar

    with rich_progress_bar(title, _SECONDS_BEFORE_PROGRESS_BAR, first_step) as callback:
        yield with_interrupt_check(callback)
