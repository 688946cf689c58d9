"""Time the selection of structure and number of components of gaussmix and R's mclust."""

import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.commands import arguments as shared
from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_ratio_range, format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress, speedup

TITLE = "Model selection"
EXPLANATION = """\
`gaussmix.select(X)` and `mclustBIC(X)` with their defaults: 14 structures, 1 to 9 components and a model-based
hierarchical initialization. Both run in turn, each in a process of its own that has done one search before. A lower BIC
is better here. The simulated rows come from five elongated, overlapping components."""

LIBRARIES = ("gaussmix", "mclust")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--data", default="iris,faithful,10000x2", help="iris, faithful, or NxD for simulated rows; separated by commas"
    )
    shared.add_rounds(parser)
    parser.add_argument("--rscript", default="Rscript", help="Rscript with mclust installed")


def load_data_set(name: str) -> np.ndarray:
    """Return the rows (n, d) of a data set by name."""
    if name == "iris":
        from sklearn.datasets import load_iris

        return np.asarray(load_iris().data)
    if name == "faithful":
        return np.loadtxt(REPOSITORY_ROOT / "examples" / "faithful.csv", delimiter=",", skiprows=1)
    n, d = map(int, name.split("x"))
    rng = np.random.default_rng(0)
    groups = [
        rng.normal(size=(n // 5, d)) @ rng.normal(size=(d, d)) * rng.uniform(0.5, 1.5) + rng.uniform(-6, 6, d)
        for _ in range(5)
    ]
    return np.concatenate(groups)


def run_benchmark(arguments: Namespace) -> dict[str, dict]:
    """Return one answer per data set, library and round."""
    return {name: _time_searches(load_data_set(name), arguments) for name in arguments.data.split(",")}


def _time_searches(rows: np.ndarray, arguments: Namespace) -> dict:
    """Time the searches of both libraries on some rows in turn."""
    print_progress(f"{len(rows)} x {rows.shape[1]}")
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "rows.csv")
        np.savetxt(file, rows, delimiter=",", fmt="%.17g")
        commands = {
            "gaussmix": [interpreter_path("gaussmix", {}), "-m", "benchmarks.workers.model_selection", file],
            "mclust": [arguments.rscript, str(REPOSITORY_ROOT / "benchmarks/adapters/mclust_grid.R"), file],
        }
        workers = {name: Worker(command) for name, command in commands.items()}
        answers: dict[str, list[dict]] = {name: [] for name in workers}
        for _ in range(arguments.rounds):
            for name, worker in workers.items():
                answers[name].append(worker.ask_for_answer())
        for worker in workers.values():
            worker.close()
    reasons = {name: worker.failure_reason for name, worker in workers.items() if worker.failure_reason is not None}
    return {"shape": rows.shape, "reasons": reasons, "answers": answers}


def format_results(results: dict[str, dict]) -> str:
    """Return a table with one row per data set."""
    head = ["data", *(f"{name}, s" for name in LIBRARIES), "speedup", *(f"best model of {name}" for name in LIBRARIES)]
    rows = []
    for data, result in results.items():
        n, d = result["shape"]
        if result["reasons"]:
            rows.append(
                [f"{data} ({n} x {d})", *[str(result["reasons"].get(name, "")) for name in LIBRARIES], "", "", ""]
            )
            continue
        seconds = {name: [answer["seconds"] for answer in result["answers"][name]] for name in LIBRARIES}
        best = [result["answers"][name][-1] for name in LIBRARIES]
        rows.append(
            [
                f"{data} ({n} x {d})",
                *(f"{median(seconds[name]):.3f}" for name in LIBRARIES),
                format_ratio_range(speedup(seconds["mclust"], seconds["gaussmix"])),
                *(f"{answer['best']} ({answer['bic']:.2f})" for answer in best),
            ]
        )
    return format_table(head, rows)
