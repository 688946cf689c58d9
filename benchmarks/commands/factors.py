"""Mixtures of factor analysers on many columns: groups found, seconds, peak memory."""

from argparse import ArgumentParser, Namespace

from benchmarks.markdown import format_table
from benchmarks.round_robin import Worker, interpreter_path, print_progress

TITLE = "Many columns"
EXPLANATION = """\
`GaussianMixture(K, covariance_type="UUU", n_factors=q, random_state=seed).fit_predict(X)` with everything else at its
default, each fit in a fresh process. Each group has loadings of rank q and noise of its own in every column; along each
of five random directions the means stand three within-group standard deviations apart, in random order. The strength is
the standard deviation of a loading, that of the noise being about 1. Agreement with the true groups is the adjusted
Rand index; the peak is that of the whole process, data and libraries included."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--shape", default="2000,1000,3", metavar="n,d,K")
    parser.add_argument("--factors", type=int, default=5, help="rank of the loadings, drawn and fitted")
    parser.add_argument("--structures", default="UUU", help="members to fit, comma between")
    parser.add_argument("--strengths", default="0.2,1", help="standard deviations of a loading, comma between")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, of data and fit, from 0")
    parser.add_argument("--starts", type=int, default=1, help="n_init")


def run_benchmark(arguments: Namespace) -> dict:
    """One answer for each structure, strength and seed."""
    fits = []
    for structure in arguments.structures.split(","):
        for strength in arguments.strengths.split(","):
            for seed in range(arguments.seeds):
                print_progress(f"{structure}, strength {strength}, seed {seed}")
                program = [interpreter_path("gaussmix", {}), "-m", "benchmarks.workers.factors"]
                given = [structure, str(arguments.factors), *arguments.shape.split(",")]
                worker = Worker([*program, *given, strength, str(seed), str(arguments.starts)], timeout_seconds=900)
                answer = worker.first_answer or {"reason": worker.failure_reason}
                worker.close()
                fits.append({"structure": structure, "strength": strength, "seed": seed, **answer})
    return {"shape": [int(number) for number in arguments.shape.split(",")], "factors": arguments.factors, "fits": fits}


def format_results(results: dict) -> str:
    """A row for each fit."""
    rows = []
    for fit in results["fits"]:
        row = [fit["structure"], fit["strength"], str(fit["seed"])]
        if "agreement" in fit:
            peak = f"{fit['peak_bytes'] / 1e6:.0f}"
            rows.append([*row, f"{fit['agreement']:.3f}", f"{fit['seconds']:.1f}", str(fit["passes"]), peak])
        else:
            rows.append([*row, str(fit["reason"]), "-", "-", "-"])
    n, d, K = results["shape"]
    said = f"{n:_} x {d:_}, K = {K}, {results['factors']} factors.".replace("_", " ")
    head = ["structure", "strength", "seed", "agreement", "seconds", "passes", "peak, MB"]
    return f"{said}\n\n{format_table(head, rows)}"
