"""Time k-means of gaussmix and scikit-learn from the same centres."""

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
`KMeans(K, init=centers, n_init=1, max_iter=..., tol=0).fit(X)`, checks and final labels included. gaussmix and
scikit-learn run in turn, each in a process of its own. Five iterations that are not timed precede each fit, since idle
processors are slow at first. The initial centres are rows drawn at random with the seed and are equal for both
libraries. So iterations, cluster sizes and inertia should be equal, too."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--shape", default="200000,8,16,1", metavar="n,d,K[,separation]")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds of the initial centres, from 0")
    parser.add_argument("--max-iter", type=int, default=20, help="maximum number of iterations")


def run_benchmark(arguments: Namespace) -> dict:
    """Return one answer per library and seed."""
    case = BenchmarkCase.from_text("spherical", arguments.shape)
    print_progress(str(case))
    rows, means = data.make_mixture_rows(case)
    shape = [str(number) for number in (*rows.shape, len(means), arguments.max_iter)]
    with tempfile.TemporaryDirectory() as folder:
        data.save_rows_and_means(Path(folder), rows, means)
        commands = {
            name: [interpreter_path(name, {}), "-m", "benchmarks.workers.kmeans", name, folder, *shape]
            for name in LIBRARIES
        }
        answers = ask_in_turn(commands, [str(seed) for seed in range(arguments.seeds)])
    return {"case": vars(case), "libraries": answers}


def format_results(results: dict) -> str:
    """Return a table with one row per seed and the medians."""
    ours, theirs = (results["libraries"][name] for name in LIBRARIES)
    rows = []
    for seed, (own, other) in enumerate(zip(ours, theirs, strict=True)):
        rows.append(
            [
                str(seed),
                *(f"{1e3 * answer['seconds']:.0f}" for answer in (own, other)),
                *(str(answer["n_iter"]) for answer in (own, other)),
                f"{own['inertia'] / other['inertia'] - 1.0:+.1e}",
                "yes" if own["sizes"] == other["sizes"] else "no",
                f"{other['seconds'] / own['seconds']:.2f}",
            ]
        )
    seconds = [[answer["seconds"] for answer in answers] for answers in (ours, theirs)]
    ratio = median(other / own for own, other in zip(*seconds, strict=True))
    rows.append(["median", *(f"{1e3 * median(each):.0f}" for each in seconds), "", "", "", "", f"{ratio:.2f}"])
    head = ["seed", "gaussmix, ms", "scikit-learn, ms", "gaussmix, iterations", "scikit-learn, iterations"]
    head += ["inertia over scikit-learn's, minus 1", "equal sizes", "speedup"]
    speedup_text = format_ratio_range(speedup(seconds[1], seconds[0]))
    return f"{BenchmarkCase(**results['case']).size_text}: speedup {speedup_text}.\n\n{format_table(head, rows)}"
