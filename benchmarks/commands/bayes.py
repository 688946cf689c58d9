"""Time iterations of variational Bayes of gaussmix and scikit-learn."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

from benchmarks import data
from benchmarks.commands import arguments as shared
from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_milliseconds, format_ratio_range, format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress, speedup
from benchmarks.workers.bayes import RESPONSIBILITIES_FILE, initialize_gaussmix

TITLE = "Variational Bayes"
EXPLANATION = """\
`BayesianGaussianMixture(K)` of gaussmix and of scikit-learn with a Dirichlet process, from equal responsibilities. Both
run in turn, each in a process of its own. The time of an iteration is the mean over iterations 2 to 5. The last column
verifies equal results: the relative difference of the lower bounds after five iterations."""
LIBRARIES = ("gaussmix", "scikit-learn")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--structures", default="full,tied,diag,spherical", help="separated by commas")
    parser.add_argument("--shape", default="200000,8,16", metavar="n,d,K[,separation]")
    shared.add_rounds(parser)
    shared.add_iterations(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Compare the libraries for each structure."""
    cases = [BenchmarkCase.from_text(structure, arguments.shape) for structure in arguments.structures.split(",")]
    return [_compare_libraries(case, arguments.rounds, arguments.iterations) for case in cases]


def _compare_libraries(case: BenchmarkCase, n_rounds: int, n_iter: int) -> dict:
    """Time both libraries in turn on one case."""
    print_progress(str(case))
    rows, means = data.make_mixture_rows(case)
    with tempfile.TemporaryDirectory() as folder:
        data.save_rows_and_means(Path(folder), rows, means)
        initial_mixture = initialize_gaussmix(rows, case.structure, case.n_components)
        initial_mixture.predict_proba(rows).tofile(Path(folder) / RESPONSIBILITIES_FILE)
        sizes = (n_iter, case.n_rows, case.n_features, case.n_components)
        options = [folder, case.structure, *(str(size) for size in sizes)]
        workers = {
            name: Worker([interpreter_path(name, {}), "-m", "benchmarks.workers.bayes", name, *options])
            for name in LIBRARIES
        }
        seconds: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(n_rounds):
            for name, worker in workers.items():
                answer = worker.ask_for_answer()
                if worker.failure_reason is not None:
                    raise SystemExit(f"{name}: {worker.failure_reason}")
                seconds[name].append(answer["seconds"])
        bounds = {name: worker.first_answer["lower_bound"] for name, worker in workers.items()}
        for worker in workers.values():
            worker.close()
    return {"case": vars(case), "seconds": seconds, "bounds": bounds}


def format_results(results: list[dict]) -> str:
    """Return a table with one row per structure."""
    rows = []
    for result in results:
        own, other = (result["seconds"][name] for name in LIBRARIES)
        bounds = [result["bounds"][name] for name in LIBRARIES]
        gap = f"{abs(bounds[0] - bounds[1]) / abs(bounds[1]):.1e}"
        ratio = format_ratio_range(speedup(other, own))
        rows.append(
            [
                str(BenchmarkCase(**result["case"])),
                format_milliseconds(median(own)),
                format_milliseconds(median(other)),
                ratio,
                gap,
            ]
        )
    return format_table(
        ["case", "gaussmix, ms per iteration", "scikit-learn, ms per iteration", "speedup", "difference of bounds"],
        rows,
    )
