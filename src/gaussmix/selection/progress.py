"""A bar for work that takes long, on stderr: how much is done, and what is next."""

import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gaussmix.errors import MissingPackageError

ProgressCallback = Callable[[int, int, str], None]
"""Tells a bar the steps done, the steps in all, and the name of the next."""


@contextmanager
def progress_bar(title: str, delay_seconds: float = 1.0) -> Iterator[ProgressCallback]:
    """A bar that appears once the work has taken ``patience`` seconds, and is gone when it is done.

    Without an update it only shows that time passes.

    Raises
    ------
    MissingPackageError
        If rich is not installed.
    """
    if importlib.util.find_spec("rich") is None:
        raise MissingPackageError.for_extra("rich", "a progress bar", "cli")
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    shown = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[steps]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = shown.add_task(title, total=None, steps="")
    timer = threading.Timer(delay_seconds, shown.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, total, name: shown.update(
            task, completed=done, total=total, description=f"{title}: {name}", steps=f"{done}/{total}"
        )
    finally:
        timer.cancel()
        timer.join()
        if shown.live.is_started:
            shown.stop()
