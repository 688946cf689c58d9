"""Us and every installed peer on the same data from the same start, in turn."""

from argparse import ArgumentParser, Namespace
from math import isfinite
from statistics import median

from benchmarks.adapters import GAUSSMIX_PEERS, PEERS
from benchmarks.commands import arguments as shared
from benchmarks.data import BenchmarkCase, select_cases
from benchmarks.markdown import format_milliseconds, format_ratio, format_ratio_range, format_table
from benchmarks.round_robin import compare_peers, print_progress, speedup

TITLE = "Side by side"
EXPLANATION = """\
Every library fits the same rows from the same start (the true means, unit covariances, equal weights) in a process of
its own, with all cores, as it comes from its package. The time of a pass is that of passes 2 to 5: a fit of five passes
less a fit of one, so that start, checks and compiling drop out. The libraries take turns, round after round; a ratio is
taken within a round, and the table shows the median over the rounds with the smallest and the largest. "gaussmix-dense"
is gaussmix with screening off: every pair of row and component is computed. A name that ends in 32 computes in float32,
as gmmx always does; a ridge on the covariances is switched off wherever the arithmetic is float64. mlpack takes no
start and makes its own. The last column shows that all computed the same thing: the parameters after five passes,
scored in NumPy, as mean log-likelihood per row less that of the reference."""


def add_arguments(parser: ArgumentParser) -> None:
    """What can be chosen."""
    shared.add_cases(parser)
    shared.add_peers(parser, ",".join(PEERS))
    shared.add_runs(parser)
    shared.add_passes(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """One comparison for each case."""
    names, pythons = shared.parse_peer_names(arguments), shared.parse_interpreters(arguments)
    results = []
    for case in select_cases(arguments.structures, arguments.shapes):
        print_progress(str(case))
        results.append(compare_peers(case, names, pythons, arguments.runs, arguments.passes))
    return results


def format_results(results: list[dict]) -> str:
    """What it comes to, then a table for each case."""
    parts = [_summary_table(results)] if any(_fastest_other_name(result["peers"]) for result in results) else []
    for result in results:
        parts.append(f"### {BenchmarkCase(**result['case'])}\n\n{_case_table(result['peers'])}")
        missing = [f"{name}: {peer['reason']}" for name, peer in result["peers"].items() if "reason" in peer]
        if missing:
            parts.append("Not in the table: " + "; ".join(missing) + ".")
    return "\n\n".join(parts)


def _timed_peers(peers: dict) -> dict:
    return {name: peer for name, peer in peers.items() if "seconds" in peer}


def _format_speedup(peers: dict, slow_name: str | None, fast_name: str) -> str:
    timed = _timed_peers(peers)
    if slow_name not in timed or fast_name not in timed:
        return "-"
    return format_ratio(speedup(timed[slow_name]["seconds"], timed[fast_name]["seconds"])[0])


def _fastest_other_name(peers: dict) -> str | None:
    """The fastest library that is not ours and computes in float64."""
    others = {
        name: median(peer["seconds"])
        for name, peer in _timed_peers(peers).items()
        if name not in GAUSSMIX_PEERS and not name.endswith("32") and name != "gmmx"
    }
    return min(others, key=others.__getitem__) if others else None


def _summary_table(results: list[dict]) -> str:
    """For each case, how many times faster than the fastest other library, and than scikit-learn."""
    rows = []
    for result in results:
        peers, fastest = result["peers"], _fastest_other_name(result["peers"])
        rows.append(
            [
                str(BenchmarkCase(**result["case"])),
                fastest or "-",
                _format_speedup(peers, fastest, "gaussmix-dense"),
                _format_speedup(peers, fastest, "gaussmix"),
                _format_speedup(peers, "scikit-learn", "gaussmix"),
            ]
        )
    head = [
        "case",
        "fastest other in float64",
        "gaussmix-dense is faster than that by",
        "gaussmix is faster than that by",
        "gaussmix is faster than scikit-learn by",
    ]
    return format_table(head, rows)


def _case_table(peers: dict) -> str:
    """A row for each peer, fastest first."""
    timed = _timed_peers(peers)
    reference = "scikit-learn" if "scikit-learn" in timed else next(iter(timed), "")
    rows = []
    for name in sorted(timed, key=lambda one: median(timed[one]["seconds"])):
        seconds = timed[name]["seconds"]
        over = [
            format_ratio_range(speedup(seconds, timed[ours]["seconds"])) if ours in timed else "-"
            for ours in ("gaussmix", "gaussmix-dense")
        ]
        rows.append(
            [
                name,
                format_milliseconds(median(seconds)),
                *over,
                _format_log_likelihood_gap(name, timed[name], timed[reference]),
            ]
        )
    head = ["library", "ms a pass", "over gaussmix", "over gaussmix-dense", f"log-likelihood less {reference}'s"]
    return format_table(head, rows)


def _format_log_likelihood_gap(name: str, peer: dict, reference: dict) -> str:
    """How far its log-likelihood per row is from the reference's."""
    if not PEERS[name].can_start_from_parameters:
        return "own start"
    gap = peer["log_likelihood"] - reference["log_likelihood"]
    return f"{gap:+.0e}" if isfinite(gap) else "not a number"
