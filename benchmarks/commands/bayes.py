"""A pass of variational Bayes, against scikit-learn's."""

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
`BayesianGaussianMixture(K)` of gaussmix and of scikit-learn, a Dirichlet process, from the same responsibilities, in
turn, each in a process of its own. The time of a pass is that of passes 2 to 5. The last column shows that both
computed the same: how far the bounds after five passes are apart, as a share of their size."""
LIBRARIES = ("gaussmix", "scikit-learn")


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--structures", default="full,tied,diag,spherical", help="comma between")
    parser.add_argument("--shape", default="200000,8,16", metavar="n,d,K[,separation]")
    shared.add_runs(parser)
    shared.add_passes(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """One comparison for each structure."""
    cases = [BenchmarkCase.from_text(structure, arguments.shape) for structure in arguments.structures.split(",")]
    return [_compare_libraries(case, arguments.runs, arguments.passes) for case in cases]


def _compare_libraries(case: BenchmarkCase, n_rounds: int, n_iter: int) -> dict:
    """Both libraries in turn on one case."""
    print_progress(str(case))
    rows, means = data.make_mixture_rows(case)
    with tempfile.TemporaryDirectory() as folder:
        data.save_rows_and_means(Path(folder), rows, means)
        initialize_gaussmix(rows, case.structure, case.n_components).predict_proba(rows).tofile(
            Path(folder) / RESPONSIBILITIES_FILE
        )
        given = [folder, case.structure, str(n_iter), str(case.n_rows), str(case.n_features), str(case.n_components)]
        workers = {
            name: Worker([interpreter_path(name, {}), "-m", "benchmarks.workers.bayes", name, *given])
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
    """A row for each structure."""
    rows = []
    for result in results:
        our, their = (result["seconds"][name] for name in LIBRARIES)
        bounds = [result["bounds"][name] for name in LIBRARIES]
        gap = f"{abs(bounds[0] - bounds[1]) / abs(bounds[1]):.1e}"
        ratio = format_ratio_range(speedup(their, our))
        rows.append(
            [
                str(BenchmarkCase(**result["case"])),
                format_milliseconds(median(our)),
                format_milliseconds(median(their)),
                ratio,
                gap,
            ]
        )
    return format_table(
        ["case", "gaussmix, ms a pass", "scikit-learn, ms a pass", "times faster", "bounds apart"], rows
    )
