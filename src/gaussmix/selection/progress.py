"""Progress of long searches and tests: callbacks, and a progress bar on stderr."""

import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from gaussmix.core.scalar_checks import is_bool
from gaussmix.errors import MissingPackageError, ParameterError

# Called as ``callback(n_done, n_total, step_name)`` before each step.
ProgressCallback = Callable[[int, int, str], None]


def make_progress_callback(
    progress: bool | ProgressCallback | None, title: str
) -> AbstractContextManager[ProgressCallback]:
    """Return a context manager that yields a progress callback: a bar on stderr, a given callable, or nothing.

    Parameters
    ----------
    progress : bool, callable or None
        True shows a progress bar on stderr. A callable is used as it is. False and None ignore all progress.
    title : str
        The text before the name of the step in the bar.
    """
    if progress is not None and not is_bool(progress) and not callable(progress):
        raise ParameterError.invalid_value("progress", progress, "True, False, None or a callable")
    if progress is True:
        return progress_bar(title)
    return nullcontext(progress if callable(progress) else _ignore_progress)


@contextmanager
def progress_bar(title: str, delay_seconds: float = 1.0, first_step: str = "") -> Iterator[ProgressCallback]:
    """Show a progress bar on stderr while the context is open; the context yields its callback.

    The bar appears after ``delay_seconds`` and disappears at the end. Before the first callback it shows
    ``first_step`` and the elapsed time.

    Raises
    ------
    MissingPackageError
        If rich is not installed.
    """
    if importlib.util.find_spec("rich") is None:
        raise MissingPackageError.for_extra("rich", "a progress bar", "cli")
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[steps]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(f"{title}: {first_step}" if first_step else title, total=None, steps="")
    timer = threading.Timer(delay_seconds, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda n_done, n_total, step_name: bar.update(
            task, completed=n_done, total=n_total, description=f"{title}: {step_name}", steps=f"{n_done}/{n_total}"
        )
    finally:
        timer.cancel()
        timer.join()
        if bar.live.is_started:
            bar.stop()


def _ignore_progress(n_done: int, n_total: int, step_name: str) -> None:
    """Do nothing; the callback of a caller who asks for no progress."""
