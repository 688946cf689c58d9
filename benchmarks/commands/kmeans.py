"""k-means against scikit-learn's, from the same centres."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

from benchmarks import data
from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_ratio_range, format_table
from benchmarks.round_robin import ask_in_turn, interpreter_path, print_progress, speedup
from benchmarks.workers.kmeans import LIBRARIES

TITLE = "k-means"
EXPLANATION = """\
`KMeans(K, init=centres, n_init=1, max_iter=passes, tol=0).fit(X)`, checks and the labels at the end included, gaussmix
and scikit-learn in turn, each in a process of its own, and straight after five passes that are not timed: processors
that have rested between turns are slow to start with. The centres are rows drawn at random with the seed, the same for
both, and so should be the passes, the sizes of the clusters and the inertia."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--shape", default="200000,8,16,1", metavar="n,d,K[,separation]")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, of centres, from 0")
    parser.add_argument("--most-passes", type=int, default=20, help="passes of a fit, unless it ends before")


def run_benchmark(arguments: Namespace) -> dict:
    """For each library, one answer for each seed."""
    case = BenchmarkCase.from_text("spherical", arguments.shape)
    print_progress(str(case))
    rows, means = data.make_mixture_rows(case)
    shape = [str(number) for number in (*rows.shape, len(means), arguments.most_passes)]
    with tempfile.TemporaryDirectory() as folder:
        data.save_rows_and_means(Path(folder), rows, means)
        commands = {
            name: [interpreter_path(name, {}), "-m", "benchmarks.workers.kmeans", name, folder, *shape]
            for name in LIBRARIES
        }
        answers = ask_in_turn(commands, [str(seed) for seed in range(arguments.seeds)])
    return {"case": vars(case), "libraries": answers}


def format_results(results: dict) -> str:
    """A row for each seed, and the medians."""
    ours, theirs = (results["libraries"][name] for name in LIBRARIES)
    rows = []
    for seed, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        rows.append(
            [
                str(seed),
                *(f"{1e3 * answer['seconds']:.0f}" for answer in (one, other)),
                *(str(answer["passes"]) for answer in (one, other)),
                f"{one['inertia'] / other['inertia'] - 1.0:+.1e}",
                "yes" if one["sizes"] == other["sizes"] else "no",
                f"{other['seconds'] / one['seconds']:.2f}",
            ]
        )
    seconds = [[answer["seconds"] for answer in answers] for answers in (ours, theirs)]
    ratio = median(other / one for one, other in zip(*seconds, strict=True))
    rows.append(["median", *(f"{1e3 * median(each):.0f}" for each in seconds), "", "", "", "", f"{ratio:.2f}"])
    head = ["seed", "gaussmix, ms", "scikit-learn, ms", "gaussmix, passes", "scikit-learn, passes"]
    head += ["inertia over scikit-learn's, less 1", "the same sizes", "times faster"]
    faster = format_ratio_range(speedup(seconds[1], seconds[0]))
    return (
        f"{BenchmarkCase(**results['case']).size_text}: gaussmix is faster by {faster}.\n\n{format_table(head, rows)}"
    )
