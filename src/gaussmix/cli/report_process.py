"""Write the report of a command in a process of its own, which loads matplotlib while the command still computes.

Python computes in one thread at a time, and loading what draws pictures takes as long as the search of a small table.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gaussmix.core.cpus import default_n_threads

_PROGRAM = "from gaussmix.cli.report_process import serve_one_report; serve_one_report()"
# Without the current folder on the search path, where a file of the user's may have the name of a package.
_OPTIONS = ("-P", "-c")


class ReportProcess:
    """A process that waits for one report to write; None stands for this process."""

    def __init__(self, process: "subprocess.Popen[bytes] | None") -> None:
        self._process = process

    def write_report(self, write: Callable[..., None], *arguments: Any, **options: Any) -> None:
        """Call ``write`` with the arguments in the other process; in this one if that is not possible or fails.

        So an error is raised as without another process.
        """
        if self._process is None or not _has_written(self._process, (write, arguments, options)):
            write(*arguments, **options)


@contextmanager
def start_report_process() -> Iterator[ReportProcess]:
    """Start a process for a report, which ends with the ``with`` block at the latest.

    There is none where this process has loaded matplotlib already, may use one thread only, or cannot start others.
    """
    process = _start_process() if default_n_threads() > 1 and "matplotlib" not in sys.modules else None
    try:
        yield ReportProcess(process)
    finally:
        if process is not None:
            process.kill()
            process.communicate()


def serve_one_report() -> None:
    """Load what draws pictures, then call the pickled function of standard input with its pickled arguments."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the command, and the command ends this process
    import gaussmix.report.html_page  # noqa: F401
    from gaussmix.plots.picture_export import draw_axes_picture
    from gaussmix.report.page_template import load_template

    load_template("page.html")
    draw_axes_picture(lambda axes: axes.set_title("loads fonts and tick labels"), (3.0, 2.0), "")
    content = sys.stdin.buffer.read()
    if content:
        write, arguments, options = pickle.loads(content)
        write(*arguments, **options)
        os._exit(0)  # the command waits for the end, and an interpreter with matplotlib takes .2 s for it


def _start_process() -> "subprocess.Popen[bytes] | None":
    """Return a new process without output; None if Python is a part of another program or no process can start."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    with suppress(OSError):
        return subprocess.Popen(
            [sys.executable, *_OPTIONS, _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=os.name == "posix",  # the terminal's Ctrl-C does not reach it
        )
    return None


def _has_written(process: "subprocess.Popen[bytes]", call: tuple[Any, ...]) -> bool:
    """Return whether the process has made the call without an error."""
    try:
        content = pickle.dumps(call, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):  # what pickle raises for a local function
        return False
    process.communicate(content)  # an end of the process before it has read everything shows in its exit code
    return process.returncode == 0
