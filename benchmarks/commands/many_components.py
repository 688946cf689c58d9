"""Many separated components: what screening saves, and how time grows with their number."""

from argparse import ArgumentParser, Namespace
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.data import BenchmarkCase
from benchmarks.markdown import format_milliseconds, format_ratio, format_ratio_range, format_table
from benchmarks.round_robin import compare_peers, print_progress, speedup

TITLE = "Many components"
EXPLANATION = """\
Separated components (means ten times as spread out as a component is wide), full covariances, time of passes 2 to 5
from the true means. Growth is the time with the most components over that with the fewest, median by median."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--shapes", nargs="+", default=["200000,8,100,10", "200000,8,1000,10"])
    shared.add_peers(parser, "gaussmix,gaussmix-dense")
    shared.add_runs(parser)
    shared.add_passes(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """One comparison for each number of components."""
    names, pythons = shared.parse_peer_names(arguments), shared.parse_interpreters(arguments)
    results = []
    for shape in arguments.shapes:
        case = BenchmarkCase.from_text("full", shape)
        print_progress(str(case))
        results.append(compare_peers(case, names, pythons, arguments.runs, arguments.passes))
    return results


def format_results(results: list[dict]) -> str:
    """A row for each peer: ms a pass for each K, growth, and time over ours as shipped."""
    order = sorted(results, key=lambda result: result["case"]["n_components"])
    cases = [BenchmarkCase(**result["case"]) for result in order]
    rows = []
    for name in order[0]["peers"]:
        found = [result["peers"][name].get("seconds") for result in order]
        ours = [result["peers"].get("gaussmix", {}).get("seconds") for result in order]
        middles = [median(seconds) if seconds else float("nan") for seconds in found]
        ratios = [
            format_ratio_range(speedup(seconds, own)) if seconds and own else "-"
            for seconds, own in zip(found, ours, strict=True)
        ]
        rows.append([name, *map(format_milliseconds, middles), format_ratio(middles[-1] / middles[0]), *ratios])
    sizes = [f"K = {case.n_components}" for case in cases]
    milli, over = ([f"{what}, {size}" for size in sizes] for what in ("ms a pass", "over gaussmix"))
    head = ["library", *milli, "growth", *over]
    return f"{cases[0].n_rows} rows of {cases[0].n_features} columns.\n\n{format_table(head, rows)}"
