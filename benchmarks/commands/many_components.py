"""Time iterations with many separated components: the effect of screening and of their number."""

from argparse import ArgumentParser, Namespace
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_milliseconds, format_ratio, format_ratio_range, format_table
from benchmarks.round_robin import compare_peers, print_progress, speedup

TITLE = "Many components"
EXPLANATION = """\
Separated components with full covariances. The means have ten times the standard deviation of a component. Times are
means over iterations 2 to 5 from the true means. Growth is the ratio of the median time with the most components to
that with the fewest."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--shapes", nargs="+", default=["200000,8,100,10", "200000,8,1000,10"])
    shared.add_peers(parser, "gaussmix,gaussmix-dense")
    shared.add_rounds(parser)
    shared.add_iterations(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Compare the peers for each number of components."""
    names, interpreters = shared.parse_peer_names(arguments), shared.parse_interpreters(arguments)
    results = []
    for shape in arguments.shapes:
        case = BenchmarkCase.from_text("full", shape)
        print_progress(str(case))
        results.append(compare_peers(case, names, interpreters, arguments.rounds, arguments.iterations))
    return results


def format_results(results: list[dict]) -> str:
    """Return a table with one row per peer: times, growth and ratios to gaussmix."""
    sorted_results = sorted(results, key=lambda result: result["case"]["n_components"])
    cases = [BenchmarkCase(**result["case"]) for result in sorted_results]
    rows = []
    for name in sorted_results[0]["peers"]:
        times = [result["peers"][name].get("seconds") for result in sorted_results]
        own_times = [result["peers"].get("gaussmix", {}).get("seconds") for result in sorted_results]
        medians = [median(seconds) if seconds else float("nan") for seconds in times]
        ratios = [
            format_ratio_range(speedup(seconds, own)) if seconds and own else "-"
            for seconds, own in zip(times, own_times, strict=True)
        ]
        rows.append([name, *map(format_milliseconds, medians), format_ratio(medians[-1] / medians[0]), *ratios])
    sizes = [f"K = {case.n_components}" for case in cases]
    times_head, ratios_head = ([f"{text}, {size}" for size in sizes] for text in ("ms per iteration", "over gaussmix"))
    head = ["library", *times_head, "growth", *ratios_head]
    return f"{cases[0].n_rows} rows of {cases[0].n_features} columns.\n\n{format_table(head, rows)}"
