"""Measure the peak memory of fit, predict and predict_proba beyond the data and the output."""

from argparse import ArgumentParser, Namespace

from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress
from benchmarks.workers.default_fit import LIBRARIES
from benchmarks.workers.memory import STAGES

TITLE = "Memory"
EXPLANATION = """\
The increase of the peak memory of a process by a call. Each call runs in a new process, which fills the rows block by
block in place. `predict` and `predict_proba` follow a fit to a few rows; the size of their output is subtracted. "code"
is the increase by a first small fit without large data: libraries and compiled code, which `fit` includes too."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--shape", default="5000000,8,16", metavar="n,d,K")
    parser.add_argument("--libraries", default="gaussmix", help=f"of {', '.join(LIBRARIES)}, separated by commas")
    parser.add_argument("--stages", default=",".join(STAGES), help="separated by commas")
    parser.add_argument("--iterations", type=int, default=5, help="number of iterations of the fit")


def run_benchmark(arguments: Namespace) -> dict:
    """Return the extra bytes, or the reason of a failure, for each library and stage."""
    answers: dict[str, dict[str, dict]] = {}
    for name in arguments.libraries.split(","):
        answers[name] = {}
        for stage in arguments.stages.split(","):
            print_progress(f"{name}, {stage}")
            command = [interpreter_path(name, {}), "-m", "benchmarks.workers.memory", name, stage]
            worker = Worker([*command, *arguments.shape.split(","), str(arguments.iterations)], timeout_seconds=3600)
            answers[name][stage] = worker.first_answer or {"reason": worker.failure_reason}
            worker.close()
    return {"shape": [int(number) for number in arguments.shape.split(",")], "libraries": answers}


def format_results(results: dict) -> str:
    """Return a table with one row per library and one column per stage."""
    n, d, K = results["shape"]
    stages = list(next(iter(results["libraries"].values())))
    rows = [
        [name, *(_format_megabytes(answers[stage]) for stage in stages)]
        for name, answers in results["libraries"].items()
    ]
    data = f"{n:_} rows of {d} columns ({n * d * 8 / 1e6:.0f} MB), K = {K}.".replace("_", " ")
    return f"{data}\n\n{format_table(['library', *(f'{stage}, MB' for stage in stages)], rows)}"


def _format_megabytes(answer: dict) -> str:
    """Return the extra memory in MB, or the reason of a failure."""
    return f"{answer['extra_bytes'] / 1e6:.1f}" if "extra_bytes" in answer else str(answer["reason"])
