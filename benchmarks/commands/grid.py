"""The choice of structure and number of components, whole, against R's mclust."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.machine import ROOT
from benchmarks.markdown import ranged, table
from benchmarks.turns import Worker, python_of, say, times

TITLE = "Choosing structure and number of components"
EXPLANATION = """\
`gaussmix.select(X)` and `mclustBIC(X)`, both at their defaults: 14 structures, 1 to 9 components, from a model-based
hierarchical start, in turn, each in a process of its own that has done it once before. BIC is lower for better here.
The simulated rows come from five elongated groups that overlap."""

NAMES = ("gaussmix", "mclust")


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--data", default="iris,faithful,10000x2", help="iris, faithful, or n x d of simulated rows")
    parser.add_argument("--runs", type=int, default=5, help="rounds")
    parser.add_argument("--rscript", default="Rscript", help="the Rscript that has mclust")


def rows_of(name: str) -> np.ndarray:
    """The rows (n, d) of a data set by name."""
    if name == "iris":
        from sklearn.datasets import load_iris

        return np.asarray(load_iris().data)
    if name == "faithful":
        return np.loadtxt(ROOT / "examples" / "faithful.csv", delimiter=",", skiprows=1)
    n, d = map(int, name.split("x"))
    rng = np.random.default_rng(0)
    groups = [
        rng.normal(size=(n // 5, d)) @ rng.normal(size=(d, d)) * rng.uniform(0.5, 1.5) + rng.uniform(-6, 6, d)
        for _ in range(5)
    ]
    return np.concatenate(groups)


def measure(arguments: Namespace) -> dict[str, dict]:
    """For each data set and library, one answer for each round."""
    return {name: _searches(rows_of(name), arguments) for name in arguments.data.split(",")}


def _searches(rows: np.ndarray, arguments: Namespace) -> dict:
    say(f"{len(rows)} x {rows.shape[1]}")
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rows.csv")
        np.savetxt(file, rows, delimiter=",", fmt="%.17g")
        commands = {
            "gaussmix": [python_of("gaussmix", {}), "-m", "benchmarks.workers.grid", file],
            "mclust": [arguments.rscript, str(ROOT / "benchmarks/adapters/mclust_grid.R"), file],
        }
        workers = {name: Worker(command) for name, command in commands.items()}
        answers: dict[str, list[dict]] = {name: [] for name in workers}
        for _ in range(arguments.runs):
            for name, worker in workers.items():
                answers[name].append(worker.ask())
        for worker in workers.values():
            worker.close()
    reasons = {name: worker.reason for name, worker in workers.items() if worker.reason is not None}
    return {"shape": rows.shape, "reasons": reasons, "answers": answers}


def markdown(results: dict[str, dict]) -> str:
    """A row for each data set."""
    head = ["data", *(f"{name}, s" for name in NAMES), "times faster", *(f"{name}'s best" for name in NAMES)]
    rows = []
    for data, result in results.items():
        n, d = result["shape"]
        if result["reasons"]:
            rows.append([f"{data} ({n} x {d})", *[str(result["reasons"].get(name, "")) for name in NAMES], "", "", ""])
            continue
        seconds = {name: [answer["seconds"] for answer in result["answers"][name]] for name in NAMES}
        best = [result["answers"][name][-1] for name in NAMES]
        rows.append(
            [
                f"{data} ({n} x {d})",
                *(f"{median(seconds[name]):.3f}" for name in NAMES),
                ranged(times(seconds["mclust"], seconds["gaussmix"])),
                *(f"{answer['best']} ({answer['bic']:.2f})" for answer in best),
            ]
        )
    return table(head, rows)
