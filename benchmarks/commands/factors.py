"""Fit mixtures of factor analysers to many columns: accuracy, time and peak memory."""

from argparse import ArgumentParser, Namespace

from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress

TITLE = "Many columns"
EXPLANATION = """\
`GaussianMixture(K, covariance_type="UUU", n_factors=q, random_state=seed).fit_predict(X)` with all other parameters at
their defaults, each fit in a new process. Each component has loadings of rank q and a noise variance for every column.
Along each of five random directions the means are three standard deviations apart, in random order. Loadings have the
given standard deviation, noise about 1. Accuracy is the adjusted Rand index with the true components. Peak memory is
that of the whole process with data and libraries."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--shape", default="2000,1000,3", metavar="n,d,K")
    parser.add_argument("--factors", type=int, default=5, help="number of factors, simulated and fitted")
    parser.add_argument("--structures", default="UUU", help="structures to fit, separated by commas")
    parser.add_argument(
        "--loading-sds", default="0.2,1", help="standard deviations of the loadings, separated by commas"
    )
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds of data and fit, from 0")
    parser.add_argument("--n-init", type=int, default=1)


def run_benchmark(arguments: Namespace) -> dict:
    """Return one answer per structure, standard deviation of the loadings and seed."""
    fits = []
    for structure in arguments.structures.split(","):
        for loading_sd in arguments.loading_sds.split(","):
            for seed in range(arguments.seeds):
                print_progress(f"{structure}, loading sd {loading_sd}, seed {seed}")
                program = [interpreter_path("gaussmix", {}), "-m", "benchmarks.workers.factors"]
                sizes = [structure, str(arguments.factors), *arguments.shape.split(",")]
                command = [*program, *sizes, loading_sd, str(seed), str(arguments.n_init)]
                worker = Worker(command, timeout_seconds=900)
                answer = worker.first_answer or {"reason": worker.failure_reason}
                worker.close()
                fits.append({"structure": structure, "loading_sd": loading_sd, "seed": seed, **answer})
    return {"shape": [int(number) for number in arguments.shape.split(",")], "factors": arguments.factors, "fits": fits}


def format_results(results: dict) -> str:
    """Return a table with one row per fit."""
    rows = []
    for fit in results["fits"]:
        row = [fit["structure"], fit["loading_sd"], str(fit["seed"])]
        if "adjusted_rand_index" in fit:
            peak = f"{fit['peak_bytes'] / 1e6:.0f}"
            rows.append([*row, f"{fit['adjusted_rand_index']:.3f}", f"{fit['seconds']:.1f}", str(fit["n_iter"]), peak])
        else:
            rows.append([*row, str(fit["reason"]), "-", "-", "-"])
    n, d, K = results["shape"]
    size = f"{n:_} x {d:_}, K = {K}, {results['factors']} factors.".replace("_", " ")
    head = ["structure", "loading sd", "seed", "adjusted Rand index", "seconds", "iterations", "peak memory, MB"]
    return f"{size}\n\n{format_table(head, rows)}"
