"""Time the first minute with gaussmix: imports, help, and a whole `gaussmix fit`, each in a fresh process."""

import os
import resource
import subprocess
import tempfile
import time
from argparse import ArgumentParser, Namespace
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress

TITLE = "First use"
EXPLANATION = """\
Seconds from the start to the end of a fresh process. `gaussmix fit` searches among 126 candidates and writes the model,
the assignments and the report of Old Faithful. The parts of it are timed in other processes that call the same
functions. The search includes loading NumPy, SciPy and the compiled functions, the report loading matplotlib. Processor
seconds are those of all threads."""

_DATA_FILE = str(REPOSITORY_ROOT / "examples" / "faithful.csv")
_OUTPUT = "OUTPUT"  # stands for the folder of a round
_COMMANDS = {
    "`import gaussmix`": ["-c", "import gaussmix"],
    "`from gaussmix import GaussianMixture`": ["-c", "from gaussmix import GaussianMixture"],
    "`from sklearn.mixture import GaussianMixture`": ["-c", "from sklearn.mixture import GaussianMixture"],
    "`gaussmix --help`": ["-m", "gaussmix", "--help"],
    "`gaussmix fit examples/faithful.csv`": ["-m", "gaussmix", "fit", _DATA_FILE, "--output", _OUTPUT],
}
_PARTS = ("search", "report")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    shared.add_rounds(parser, default=5)


def run_benchmark(arguments: Namespace) -> dict[str, list[dict]]:
    """Return the seconds of each command in each round, and of the parts of a fit."""
    results: dict[str, list[dict]] = {label: [] for label in _COMMANDS}
    parts: list[dict] = []
    for round_number in range(arguments.rounds):
        print_progress(f"round {round_number + 1}")
        for label, words in _COMMANDS.items():
            results[label].append(_time_command(words))
        parts.append(_time_parts())
    return {**results, **{part: [answer[part] for answer in parts] for part in _PARTS}}


def _time_command(words: list[str]) -> dict:
    """Run Python with some arguments in a fresh process; return its wall-clock and processor seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [interpreter_path("gaussmix", {}), *(folder if word == _OUTPUT else word for word in words)]
        processor_seconds, start = _processor_seconds_of_children(), time.perf_counter()
        subprocess.run(command, cwd=REPOSITORY_ROOT, stdout=subprocess.DEVNULL, check=True)
        wall_seconds = time.perf_counter() - start
        return {"wall": wall_seconds, "processor": _processor_seconds_of_children() - processor_seconds}


def _processor_seconds_of_children() -> float:
    """Return the processor seconds of all ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _time_parts() -> dict:
    """Return the seconds of the search and of the report in a fresh process."""
    command = [interpreter_path("gaussmix", {}), "-m", "benchmarks.workers.first_use", _DATA_FILE]
    worker = Worker(command, dict(os.environ))
    worker.close()
    if worker.failure_reason is not None:
        raise SystemExit(worker.failure_reason)
    return worker.first_answer


def format_results(results: dict[str, list[dict]]) -> str:
    """Return a table with one row per command or part: the median and the extremes over the rounds."""
    rows = []
    for label, rounds in results.items():
        wall = [record["wall"] for record in rounds]
        processor = median(record["processor"] for record in rounds)
        name = f"- its {label}" if label in _PARTS else label
        rows.append([name, *(f"{seconds:.2f}" for seconds in (median(wall), min(wall), max(wall), processor))])
    return format_table(["process", "seconds (median)", "minimum", "maximum", "processor seconds (median)"], rows)
