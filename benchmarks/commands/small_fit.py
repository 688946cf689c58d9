"""A small fit: iris with three components, against scikit-learn's."""

from argparse import ArgumentParser, Namespace
from statistics import median

import numpy as np

from benchmarks.commands.default_fit import time_default_fits
from benchmarks.markdown import format_milliseconds, format_ratio_range, format_table
from benchmarks.round_robin import print_progress, speedup

TITLE = "A small fit"
EXPLANATION = """\
`GaussianMixture(3, random_state=seed).fit(iris)`, gaussmix and scikit-learn in turn, a new seed in every round."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--repeats", type=int, default=50, help="rounds, each with its own seed")


def run_benchmark(arguments: Namespace) -> dict[str, list[dict]]:
    """For each library, one answer for each seed."""
    from sklearn.datasets import load_iris

    rows = np.ascontiguousarray(load_iris().data)
    print_progress("iris, K = 3")
    return time_default_fits(rows, rows[:3], range(arguments.repeats))


def format_results(results: dict[str, list[dict]]) -> str:
    """A row for each library."""
    ours = [answer["seconds"] for answer in results["gaussmix"]]
    rows = []
    for name, answers in results.items():
        seconds = [answer["seconds"] for answer in answers]
        numba = "yes" if any(answer["numba"] for answer in answers) else "no"
        passes = median(answer["passes"] for answer in answers)
        rows.append(
            [
                name,
                format_milliseconds(median(seconds)),
                format_ratio_range(speedup(seconds, ours)),
                f"{passes:g}",
                numba,
            ]
        )
    return format_table(
        ["library", "ms a fit (median)", "over gaussmix", "passes (median)", "Numba was imported"], rows
    )
