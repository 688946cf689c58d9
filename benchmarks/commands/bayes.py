"""A pass of variational Bayes, against scikit-learn's."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

from benchmarks import data
from benchmarks.commands import arguments as shared
from benchmarks.data import Case
from benchmarks.markdown import milliseconds, ranged, table
from benchmarks.turns import Worker, python_of, say, times
from benchmarks.workers.bayes import SHARES, ours

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


def measure(arguments: Namespace) -> list[dict]:
    """One comparison for each structure."""
    cases = [Case.parse(structure, arguments.shape) for structure in arguments.structures.split(",")]
    return [_compared(case, arguments.runs, arguments.passes) for case in cases]


def _compared(case: Case, runs: int, passes: int) -> dict:
    """Both libraries in turn on one case."""
    say(str(case))
    rows, means = data.mixture_rows(case)
    with tempfile.TemporaryDirectory() as folder:
        data.save(Path(folder), rows, means)
        ours(rows, case.structure, case.K).predict_proba(rows).tofile(Path(folder) / SHARES)
        given = [folder, case.structure, str(passes), str(case.n), str(case.d), str(case.K)]
        workers = {
            name: Worker([python_of(name, {}), "-m", "benchmarks.workers.bayes", name, *given]) for name in LIBRARIES
        }
        seconds: dict[str, list[float]] = {name: [] for name in workers}
        for _ in range(runs):
            for name, worker in workers.items():
                answer = worker.ask()
                if worker.reason is not None:
                    raise SystemExit(f"{name}: {worker.reason}")
                seconds[name].append(answer["seconds"])
        bounds = {name: worker.greeting["lower_bound"] for name, worker in workers.items()}
        for worker in workers.values():
            worker.close()
    return {"case": vars(case), "seconds": seconds, "bounds": bounds}


def markdown(results: list[dict]) -> str:
    """A row for each structure."""
    rows = []
    for result in results:
        our, their = (result["seconds"][name] for name in LIBRARIES)
        bounds = [result["bounds"][name] for name in LIBRARIES]
        gap = f"{abs(bounds[0] - bounds[1]) / abs(bounds[1]):.1e}"
        ratio = ranged(times(their, our))
        rows.append([str(Case(**result["case"])), milliseconds(median(our)), milliseconds(median(their)), ratio, gap])
    return table(["case", "gaussmix, ms a pass", "scikit-learn, ms a pass", "times faster", "bounds apart"], rows)
