"""Compare where default fits of gaussmix and scikit-learn end, over several seeds."""

from argparse import ArgumentParser, Namespace
from statistics import fmean, median

from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_milliseconds, format_table
from benchmarks.round_robin import ask_in_turn, interpreter_path, print_progress
from benchmarks.workers.default_fit import LIBRARIES

TITLE = "Starts"
EXPLANATION = """\
`GaussianMixture(K, covariance_type=..., random_state=seed).fit(X)` for several seeds. gaussmix and scikit-learn run in
turn, each in a process of its own that has fitted once before. A fit counts as best if its log-likelihood per row is
within 0.001 of the highest that either library found for the table."""

_SHAPES = ("5000,10,8", "2000,5,6", "1000,2,5", "8000,4,10", "9000,20,12", "20000,10,8")
_STRUCTURES = ("full", "diag")
_BEST_TOLERANCE = 1e-3  # nats per row


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--shapes", nargs="+", default=list(_SHAPES), metavar="n,d,K")
    parser.add_argument("--seeds", type=int, default=12, help="number of seeds, from 0")


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one answer per table, structure, library and seed."""
    results = []
    for shape in arguments.shapes:
        for structure in _STRUCTURES:
            case = BenchmarkCase.from_text(structure, shape)
            print_progress(str(case))
            arguments_of_worker = (structure, *shape.split(","))
            commands = {
                name: [interpreter_path(name, {}), "-m", "benchmarks.workers.starts", name, *arguments_of_worker]
                for name in LIBRARIES
            }
            answers = ask_in_turn(commands, [str(seed) for seed in range(arguments.seeds)])
            results.append({"case": vars(case), "libraries": answers})
    return results


def format_results(results: list[dict]) -> str:
    """Return a table with one row per table and structure."""
    rows = []
    for result in results:
        log_likelihoods = {
            name: [answer["log_likelihood"] for answer in answers] for name, answers in result["libraries"].items()
        }
        best = max(max(values) for values in log_likelihoods.values())
        row = [str(BenchmarkCase(**result["case"]))]
        row += [f"{fmean(v >= best - _BEST_TOLERANCE for v in log_likelihoods[name]):.2f}" for name in LIBRARIES]
        row += [f"{fmean(log_likelihoods[name]):.4f}" for name in LIBRARIES]
        row += [
            format_milliseconds(median(answer["seconds"] for answer in result["libraries"][name])) for name in LIBRARIES
        ]
        rows.append(row)
    head = ["table"]
    for quantity in ("share of best fits", "mean log-likelihood", "ms (median)"):
        head += [f"{name}, {quantity}" for name in LIBRARIES]
    return format_table(head, rows)
