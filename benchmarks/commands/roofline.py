"""Compare the time of an EM iteration with the minimum that the peak rates of the machine allow (roofline)."""

from argparse import ArgumentParser, Namespace
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.data import BenchmarkCase, select_cases
from benchmarks.markdown import format_milliseconds, format_ratio_range, format_table
from benchmarks.peak_rates import measure_peak_rates, roofline_seconds
from benchmarks.round_robin import compare_peers, print_progress, speedup

TITLE = "Roofline"
EXPLANATION = """\
The minimum time of an iteration that computes every pair of row and component: its operations (full covariances
2 n K d^2, diagonal 8 n K d, tied 4 n K d + 2 n d^2, spherical 4 n K d) at the rate of a large matrix product, and n K
exponentials at NumPy's rate. Both rates are those of all cores, measured in every round. Ratios are computed within a
round. Screening omits most pairs, so the ratio of gaussmix may be below 1."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    shared.add_cases(parser)
    shared.add_peers(parser, "gaussmix-dense,gaussmix")
    shared.add_rounds(parser)
    shared.add_iterations(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Compare the peers on each case and measure the peak rates in every round."""
    names, interpreters = shared.parse_peer_names(arguments), shared.parse_interpreters(arguments)
    results = []
    for case in select_cases(arguments.structures, arguments.shapes):
        print_progress(str(case))
        results.append(
            compare_peers(
                case, names, interpreters, arguments.rounds, arguments.iterations, measure_between=measure_peak_rates
            )
        )
    return results


def format_results(results: list[dict]) -> str:
    """Return the peak rates and a table with one row per case."""
    names = list(results[0]["peers"])
    rows = []
    for result in results:
        case = BenchmarkCase(**result["case"])
        min_seconds = [roofline_seconds(case, *pair) for pair in result["between"]]
        row = [str(case), format_milliseconds(median(min_seconds))]
        for name in names:
            seconds = result["peers"][name].get("seconds")
            if seconds:
                row += [format_milliseconds(median(seconds)), format_ratio_range(speedup(seconds, min_seconds))]
            else:
                row += ["-", "-"]
        rows.append(row)
    pairs = [pair for result in results for pair in result["between"]]
    flops, exponentials = (median(values) for values in zip(*pairs, strict=True))
    head = ["case", "minimum, ms"]
    for name in names:
        head += [f"{name}, ms", f"{name} over the minimum"]
    rates = (
        f"Matrix product {flops / 1e9:.1f} GFLOP/s in float64, {exponentials / 1e6:.0f} million exponentials per second"
    )
    return f"{rates} (medians over all rounds).\n\n{format_table(head, rows)}"
