"""Our time over the floor that this machine's matrix products and exponentials set, in the same run."""

from argparse import ArgumentParser, Namespace
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.data import BenchmarkCase, select_cases
from benchmarks.markdown import format_milliseconds, format_ratio_range, format_table
from benchmarks.peak_rates import measure_peak_rates, roofline_seconds
from benchmarks.round_robin import compare_peers, print_progress, speedup

TITLE = "How far from the limit"
EXPLANATION = """\
The floor of a pass that computes every pair of row and component: its operations (full covariances 2 n K d^2, diagonal
8 n K d, tied 4 n K d + 2 n d^2, spherical 4 n K d) at the rate of a large matrix product, and n K exponentials at
NumPy's rate, both on all cores and both measured anew in every round. Time over the floor is taken within a round.
Screening leaves most pairs out, so that gaussmix as shipped may lie below 1."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    shared.add_cases(parser)
    shared.add_peers(parser, "gaussmix-dense,gaussmix")
    shared.add_runs(parser)
    shared.add_passes(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """One comparison for each case, with the rates measured in every round."""
    names, pythons = shared.parse_peer_names(arguments), shared.parse_interpreters(arguments)
    results = []
    for case in select_cases(arguments.structures, arguments.shapes):
        print_progress(str(case))
        results.append(
            compare_peers(case, names, pythons, arguments.runs, arguments.passes, measure_between=measure_peak_rates)
        )
    return results


def format_results(results: list[dict]) -> str:
    """The rates, then a row for each case."""
    names = list(results[0]["peers"])
    rows = []
    for result in results:
        case = BenchmarkCase(**result["case"])
        floors = [roofline_seconds(case, *pair) for pair in result["between"]]
        row = [str(case), format_milliseconds(median(floors))]
        for name in names:
            seconds = result["peers"][name].get("seconds")
            row += (
                [format_milliseconds(median(seconds)), format_ratio_range(speedup(seconds, floors))]
                if seconds
                else ["-", "-"]
            )
        rows.append(row)
    pairs = [pair for result in results for pair in result["between"]]
    flops, exponentials = (median(one) for one in zip(*pairs, strict=True))
    head = ["case", "floor, ms"]
    for name in names:
        head += [f"{name}, ms", f"{name} over the floor"]
    return (
        f"Matrix product {flops / 1e9:.1f} GFLOP/s in float64, exponentials {exponentials / 1e6:.0f} million a second "
        f"(medians over all rounds).\n\n{format_table(head, rows)}"
    )
