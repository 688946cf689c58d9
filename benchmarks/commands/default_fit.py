"""A whole default fit, start included, against scikit-learn's."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

from benchmarks import data
from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_ratio_range, format_table
from benchmarks.round_robin import ask_in_turn, interpreter_path, print_progress, speedup
from benchmarks.workers.default_fit import LIBRARIES

TITLE = "A whole fit"
EXPLANATION = """\
`GaussianMixture(K, random_state=seed).fit(X)` with everything else at its default, for several seeds, gaussmix and
scikit-learn in turn, each in a process of its own that has fitted once before. The log-likelihoods are those of the
fitted parameters, scored in NumPy, per row."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--shape", default="200000,8,16", metavar="n,d,K[,separation]")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0")


def run_benchmark(arguments: Namespace) -> dict:
    """For each library, one answer for each seed."""
    case = BenchmarkCase.from_text("full", arguments.shape)
    print_progress(str(case))
    rows, means = data.make_mixture_rows(case)
    return {"case": vars(case), "libraries": time_default_fits(rows, means, range(arguments.seeds))}


def time_default_fits(rows: data.np.ndarray, means: data.np.ndarray, seeds: range) -> dict[str, list[dict]]:
    """Default fits of both libraries in turn: library -> answers, one for each seed."""
    shape = [str(number) for number in (*rows.shape, len(means))]
    with tempfile.TemporaryDirectory() as folder:
        data.save_rows_and_means(Path(folder), rows, means)
        commands = {
            name: [interpreter_path(name, {}), "-m", "benchmarks.workers.default_fit", name, folder, *shape]
            for name in LIBRARIES
        }
        return ask_in_turn(commands, [str(seed) for seed in seeds], timeout_seconds=3600)


def format_results(results: dict) -> str:
    """A row for each seed, and the medians."""
    ours, theirs = (results["libraries"][name] for name in LIBRARIES)
    ratios = [one["seconds"] / other["seconds"] for one, other in zip(theirs, ours, strict=True)]
    gains = [one["log_likelihood"] - other["log_likelihood"] for one, other in zip(ours, theirs, strict=True)]
    columns = [
        [answer[key] for answer in answers]
        for key in ("seconds", "passes", "log_likelihood")
        for answers in (ours, theirs)
    ]
    lines = [*zip(map(str, range(len(ours))), *columns, gains, ratios, strict=True)]
    lines.append(("median", *map(median, columns), median(gains), median(ratios)))
    head = ["seed"]
    for what in ("seconds", "passes", "log-likelihood"):
        head += [f"gaussmix, {what}", f"scikit-learn, {what}"]
    forms = ("{}", "{:.3f}", "{:.3f}", "{:g}", "{:g}", "{:.5f}", "{:.5f}", "{:+.1e}", "{:.1f}")
    rows = [[form.format(value) for form, value in zip(forms, line, strict=True)] for line in lines]
    faster = format_ratio_range(speedup(*([answer["seconds"] for answer in one] for one in (theirs, ours))))
    return f"{BenchmarkCase(**results['case'])}: gaussmix is faster by {faster}.\n\n" + format_table(
        [*head, "log-likelihood, gaussmix less scikit-learn", "times faster"], rows
    )
