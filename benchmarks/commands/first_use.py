"""Time the first use of compiled code on a machine and in a process."""

import os
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress

TITLE = "First use"
EXPLANATION = """\
The extra time of a first fit and prediction over a second one in the same process. The first process has an empty cache
of compiled code, as on a machine that has never run gaussmix. A second process uses the cache of the first one."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--structures", default="full,tied,diag,spherical", help="separated by commas; each has a cache of its own"
    )
    parser.add_argument("--shape", default="100000,8,16", metavar="n,d,K")
    shared.add_rounds(parser, default=3)


def run_benchmark(arguments: Namespace) -> dict[str, list[dict]]:
    """Return the times with an empty and with a filled cache for each structure and round."""
    results: dict[str, list[dict]] = {}
    for structure in arguments.structures.split(","):
        print_progress(structure)
        command = [
            interpreter_path("gaussmix", {}),
            "-m",
            "benchmarks.workers.first_use",
            structure,
            *arguments.shape.split(","),
        ]
        results[structure] = [_measure_empty_then_filled_cache(command) for _ in range(arguments.rounds)]
    return results


def _measure_empty_then_filled_cache(command: list[str]) -> dict:
    """Run a process with an empty cache and then a process with the filled cache."""
    with tempfile.TemporaryDirectory() as cache:
        answers = {}
        for state in ("empty", "filled"):
            worker = Worker(command, {**os.environ, "NUMBA_CACHE_DIR": cache})
            worker.close()
            if worker.failure_reason is not None:
                raise SystemExit(worker.failure_reason)
            answers[state] = worker.first_answer
        n_files = sum(path.is_file() for path in Path(cache).rglob("*"))
        return {**answers, "n_files": n_files}


def format_results(results: dict[str, list[dict]]) -> str:
    """Return a table of medians over the rounds with one row per structure."""
    rows = []
    for structure, rounds in results.items():
        row = [structure]
        for state in ("empty", "filled"):
            extra_seconds = [record[state]["first"] - record[state]["second"] for record in rounds]
            row += [f"{median(extra_seconds):.2f}", f"{max(extra_seconds):.2f}"]
        second = median(record["filled"]["second"] for record in rounds)
        imports_numba = "yes" if any(record["empty"]["imports_numba"] for record in rounds) else "no"
        rows.append([*row, f"{second:.2f}", str(rounds[0]["n_files"]), imports_numba])
    head = [
        "structure",
        "extra time on a new machine, s",
        "maximum, s",
        "extra time in a later process, s",
        "maximum, s",
        "second fit and prediction, s",
        "files in the cache",
        "imports Numba",
    ]
    return format_table(head, rows)
