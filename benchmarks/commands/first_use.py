"""What the first use of compiled code costs: once on a machine, and once in every process."""

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
A fit and a prediction in a fresh process, less the same again in that process: once with an empty cache of compiled
code, as on a machine that never ran gaussmix, and once in a second process that finds the cache filled."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--structures", default="full,tied,diag,spherical", help="each with a cache of its own")
    parser.add_argument("--shape", default="100000,8,16", metavar="n,d,K")
    shared.add_runs(parser, default=3)


def run_benchmark(arguments: Namespace) -> dict[str, list[dict]]:
    """For each structure and round: a process with an empty cache, and one with the cache that it left."""
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
        results[structure] = [_measure_empty_then_filled_cache(command) for _ in range(arguments.runs)]
    return results


def _measure_empty_then_filled_cache(command: list[str]) -> dict:
    """Two processes one after the other with a cache that is empty at first."""
    with tempfile.TemporaryDirectory() as cache:
        answers = {}
        for state in ("empty", "filled"):
            worker = Worker(command, {**os.environ, "NUMBA_CACHE_DIR": cache})
            worker.close()
            if worker.failure_reason is not None:
                raise SystemExit(worker.failure_reason)
            answers[state] = worker.first_answer
        files = sum(path.is_file() for path in Path(cache).rglob("*"))
        return {**answers, "files": files}


def format_results(results: dict[str, list[dict]]) -> str:
    """A row for each structure: medians over the rounds."""
    rows = []
    for structure, found in results.items():
        row = [structure]
        for state in ("empty", "filled"):
            extra = [one[state]["first"] - one[state]["second"] for one in found]
            row += [f"{median(extra):.2f}", f"{max(extra):.2f}"]
        again = median(one["filled"]["second"] for one in found)
        numba = "yes" if any(one["empty"]["numba"] for one in found) else "no"
        rows.append([*row, f"{again:.2f}", str(found[0]["files"]), numba])
    head = [
        "structure",
        "first use on a machine, s",
        "worst",
        "first use in a later process, s",
        "worst",
        "the work itself, s",
        "files in the cache",
        "Numba was imported",
    ]
    return format_table(head, rows)
