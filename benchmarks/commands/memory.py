"""Peak memory of fit, predict and predict_proba beyond the data and what they return."""

from argparse import ArgumentParser, Namespace

from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress
from benchmarks.workers.default_fit import LIBRARIES
from benchmarks.workers.memory import STAGES

TITLE = "Memory"
EXPLANATION = """\
What a call adds to the most memory its process ever held, after the rows were made block by block in place; each call
in a fresh process. `predict` and `predict_proba` follow a fit to a few rows, and what they return is not counted.
"code" is what a first small fit adds in a process without large data: libraries and compiled code, which are part of
the figure of `fit` too."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--shape", default="5000000,8,16", metavar="n,d,K")
    parser.add_argument("--libraries", default="gaussmix", help=f"of {', '.join(LIBRARIES)}, comma between")
    parser.add_argument("--stages", default=",".join(STAGES), help="comma between")
    parser.add_argument("--passes", type=int, default=5, help="passes of the fit after its start")


def run_benchmark(arguments: Namespace) -> dict:
    """For each library and stage, the extra bytes or the reason why there are none."""
    found: dict[str, dict[str, dict]] = {}
    for name in arguments.libraries.split(","):
        found[name] = {}
        for stage in arguments.stages.split(","):
            print_progress(f"{name}, {stage}")
            command = [interpreter_path(name, {}), "-m", "benchmarks.workers.memory", name, stage]
            worker = Worker([*command, *arguments.shape.split(","), str(arguments.passes)], timeout_seconds=3600)
            found[name][stage] = worker.first_answer or {"reason": worker.failure_reason}
            worker.close()
    return {"shape": [int(number) for number in arguments.shape.split(",")], "libraries": found}


def format_results(results: dict) -> str:
    """A row for each library, a column for each stage."""
    n, d, K = results["shape"]
    stages = list(next(iter(results["libraries"].values())))
    rows = [
        [name, *(_format_megabytes(found[stage]) for stage in stages)]
        for name, found in results["libraries"].items()
    ]
    data = f"{n:_} rows of {d} columns ({n * d * 8 / 1e6:.0f} MB), K = {K}.".replace("_", " ")
    return f"{data}\n\n{format_table(['library', *(f'{stage}, MB' for stage in stages)], rows)}"


def _format_megabytes(answer: dict) -> str:
    return f"{answer['extra_bytes'] / 1e6:.1f}" if "extra_bytes" in answer else str(answer["reason"])
