"""Time whole default fits, initialization included, of gaussmix and scikit-learn."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import data
from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_ratio_range, format_table
from benchmarks.round_robin import ask_in_turn, interpreter_path, print_progress, speedup
from benchmarks.workers.default_fit import LIBRARIES

TITLE = "Default fit"
EXPLANATION = """\
`GaussianMixture(K, random_state=seed).fit(X)` with all other parameters at their defaults, for several seeds. gaussmix
and scikit-learn run in turn, each in a process of its own that has fitted once before. The log-likelihoods per row are
computed in NumPy from the fitted parameters."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--shape", default="200000,8,16", metavar="n,d,K[,separation]")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0")


def run_benchmark(arguments: Namespace) -> dict:
    """Return one answer per library and seed."""
    case = BenchmarkCase.from_text("full", arguments.shape)
    print_progress(str(case))
    rows, means = data.make_mixture_rows(case)
    return {"case": vars(case), "libraries": time_default_fits(rows, means, range(arguments.seeds))}


def time_default_fits(rows: np.ndarray, means: np.ndarray, seeds: range) -> dict[str, list[dict]]:
    """Run default fits of both libraries in turn; return one answer per library and seed."""
    shape = [str(number) for number in (*rows.shape, len(means))]
    with tempfile.TemporaryDirectory() as folder:
        data.save_rows_and_means(Path(folder), rows, means)
        commands = {
            name: [interpreter_path(name, {}), "-m", "benchmarks.workers.default_fit", name, folder, *shape]
            for name in LIBRARIES
        }
        return ask_in_turn(commands, [str(seed) for seed in seeds], timeout_seconds=3600)


def format_results(results: dict) -> str:
    """Return a table with one row per seed and the medians."""
    ours, theirs = (results["libraries"][name] for name in LIBRARIES)
    ratios = [other["seconds"] / own["seconds"] for own, other in zip(ours, theirs, strict=True)]
    gains = [own["log_likelihood"] - other["log_likelihood"] for own, other in zip(ours, theirs, strict=True)]
    columns = [
        [answer[key] for answer in answers]
        for key in ("seconds", "n_iter", "log_likelihood")
        for answers in (ours, theirs)
    ]
    lines = [*zip(map(str, range(len(ours))), *columns, gains, ratios, strict=True)]
    lines.append(("median", *map(median, columns), median(gains), median(ratios)))
    head = ["seed"]
    for quantity in ("seconds", "iterations", "log-likelihood"):
        head += [f"gaussmix, {quantity}", f"scikit-learn, {quantity}"]
    formats = ("{}", "{:.3f}", "{:.3f}", "{:g}", "{:g}", "{:.5f}", "{:.5f}", "{:+.1e}", "{:.1f}")
    rows = [[text.format(value) for text, value in zip(formats, line, strict=True)] for line in lines]
    seconds = [[answer["seconds"] for answer in answers] for answers in (theirs, ours)]
    ratio = format_ratio_range(speedup(*seconds))
    return f"{BenchmarkCase(**results['case'])}: speedup {ratio}.\n\n" + format_table(
        [*head, "log-likelihood, gaussmix minus scikit-learn", "speedup"], rows
    )
