"""Time default fits of three components to iris, of gaussmix and scikit-learn."""

from argparse import ArgumentParser, Namespace
from statistics import median

import numpy as np

from benchmarks.commands.default_fit import time_default_fits
from benchmarks.markdown import format_milliseconds, format_ratio_range, format_table
from benchmarks.round_robin import print_progress, speedup

TITLE = "Small fit"
EXPLANATION = """\
`GaussianMixture(3, random_state=seed).fit(iris)`. gaussmix and scikit-learn run in turn, with a seed per round."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--rounds", type=int, default=50, help="number of rounds, each with its own seed")


def run_benchmark(arguments: Namespace) -> dict[str, list[dict]]:
    """Return one answer per library and seed."""
    from sklearn.datasets import load_iris

    rows = np.ascontiguousarray(load_iris().data)
    print_progress("iris, K = 3")
    return time_default_fits(rows, rows[:3], range(arguments.rounds))


def format_results(results: dict[str, list[dict]]) -> str:
    """Return a table with one row per library."""
    ours = [answer["seconds"] for answer in results["gaussmix"]]
    rows = []
    for name, answers in results.items():
        seconds = [answer["seconds"] for answer in answers]
        n_iter = median(answer["n_iter"] for answer in answers)
        speed = format_ratio_range(speedup(seconds, ours))
        rows.append([name, format_milliseconds(median(seconds)), speed, f"{n_iter:g}"])
    return format_table(["library", "ms per fit (median)", "over gaussmix", "iterations (median)"], rows)
