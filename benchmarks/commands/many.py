"""Many separated components: what screening saves, and how time grows with their number."""

from argparse import ArgumentParser, Namespace
from statistics import median

from benchmarks.commands import arguments as shared
from benchmarks.data import Case
from benchmarks.markdown import factor, milliseconds, ranged, table
from benchmarks.turns import compare, say, times

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


def measure(arguments: Namespace) -> list[dict]:
    """One comparison for each number of components."""
    names, pythons = shared.names_of(arguments), shared.pythons_of(arguments)
    results = []
    for shape in arguments.shapes:
        case = Case.parse("full", shape)
        say(str(case))
        results.append(compare(case, names, pythons, arguments.runs, arguments.passes))
    return results


def markdown(results: list[dict]) -> str:
    """A row for each peer: ms a pass for each K, growth, and time over ours as shipped."""
    order = sorted(results, key=lambda result: result["case"]["K"])
    cases = [Case(**result["case"]) for result in order]
    rows = []
    for name in order[0]["peers"]:
        found = [result["peers"][name].get("seconds") for result in order]
        ours = [result["peers"].get("gaussmix", {}).get("seconds") for result in order]
        middles = [median(seconds) if seconds else float("nan") for seconds in found]
        ratios = [
            ranged(times(seconds, own)) if seconds and own else "-" for seconds, own in zip(found, ours, strict=True)
        ]
        rows.append([name, *map(milliseconds, middles), factor(middles[-1] / middles[0]), *ratios])
    sizes = [f"K = {case.K}" for case in cases]
    milli, over = ([f"{what}, {size}" for size in sizes] for what in ("ms a pass", "over gaussmix"))
    head = ["library", *milli, "growth", *over]
    return f"{cases[0].n} rows of {cases[0].d} columns.\n\n{table(head, rows)}"
