"""Time the parts of a first `gaussmix fit`: the search and the report.

Argument: a CSV file of numbers with a header. Prints one line.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.workers.answer_stream import open_answer_stream

_N_STARTS = 4  # of the command line


def _time_call(function: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what a function returns, and its wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    value = function()
    return value, {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}


def _search(path: str) -> tuple[Any, Any]:
    """Return the rows of a file, and the ranking of all candidates."""
    import numpy as np

    from gaussmix.selection import select

    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    return rows, select(rows, n_starts=_N_STARTS)


def _write_report(path: Path, rows: Any, selection: Any) -> None:
    """Write the page about the best candidate."""
    from gaussmix.report import write_report

    write_report(path, selection.best.mixture, rows, fit=selection.best.fit, selection=selection)


def main() -> None:
    """Time the search and the report once, with what they load."""
    answer = open_answer_stream()
    (rows, selection), search = _time_call(lambda: _search(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        _, report = _time_call(lambda: _write_report(Path(folder) / "report.html", rows, selection))
    answer({"search": search, "report": report})


if __name__ == "__main__":
    main()
