"""Time gaussmix and every installed peer on the same data from the same start, in turn."""

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
Every library fits the same rows from the same start: the true means, unit covariances and equal weights. Each library
runs in a process of its own, on all cores, as installed from its package. The time of an iteration is the difference
between fits of five and of one iterations, divided by four; it excludes initialization, checks and compilation. The
libraries run in turn, round by round. Ratios are computed within a round; tables show their median and range.
"gaussmix-dense" is gaussmix without screening, which computes every pair of row and component. Names that end in 32
compute in float32, as gmmx always does. Regularisation of the covariances is off in float64. mlpack has an
initialization of its own. The last column verifies equal results: the difference of the mean log-likelihoods per row
after five iterations, computed in NumPy."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    shared.add_cases(parser)
    shared.add_peers(parser, ",".join(PEERS))
    shared.add_rounds(parser)
    shared.add_iterations(parser)


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Compare the peers on each case."""
    names, interpreters = shared.parse_peer_names(arguments), shared.parse_interpreters(arguments)
    results = []
    for case in select_cases(arguments.structures, arguments.shapes):
        print_progress(str(case))
        results.append(compare_peers(case, names, interpreters, arguments.rounds, arguments.iterations))
    return results


def format_results(results: list[dict]) -> str:
    """Return a summary table and one table per case."""
    parts = [_summary_table(results)] if any(_fastest_other_name(result["peers"]) for result in results) else []
    for result in results:
        parts.append(f"### {BenchmarkCase(**result['case'])}\n\n{_case_table(result['peers'])}")
        missing = [f"{name}: {peer['reason']}" for name, peer in result["peers"].items() if "reason" in peer]
        if missing:
            parts.append("Not in the table: " + "; ".join(missing) + ".")
    return "\n\n".join(parts)


def _timed_peers(peers: dict) -> dict:
    """Return the peers without failure."""
    return {name: peer for name, peer in peers.items() if "seconds" in peer}


def _format_speedup(peers: dict, slow_name: str | None, fast_name: str) -> str:
    """Return the median speedup of one peer over another, or '-' if one of them failed."""
    timed = _timed_peers(peers)
    if slow_name not in timed or fast_name not in timed:
        return "-"
    return format_ratio(speedup(timed[slow_name]["seconds"], timed[fast_name]["seconds"])[0])


def _fastest_other_name(peers: dict) -> str | None:
    """Return the name of the fastest float64 peer other than gaussmix, or None."""
    others = {
        name: median(peer["seconds"])
        for name, peer in _timed_peers(peers).items()
        if name not in GAUSSMIX_PEERS and not name.endswith("32") and name != "gmmx"
    }
    return min(others, key=others.__getitem__) if others else None


def _summary_table(results: list[dict]) -> str:
    """Return the speedups of gaussmix over the fastest other peer and over scikit-learn, per case."""
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
        "fastest other peer in float64",
        "speedup of gaussmix-dense",
        "speedup of gaussmix",
        "speedup of gaussmix over scikit-learn",
    ]
    return format_table(head, rows)


def _case_table(peers: dict) -> str:
    """Return the table of a case with one row per peer, fastest first."""
    timed = _timed_peers(peers)
    reference = "scikit-learn" if "scikit-learn" in timed else next(iter(timed), "")
    rows = []
    for name in sorted(timed, key=lambda peer: median(timed[peer]["seconds"])):
        seconds = timed[name]["seconds"]
        ratios = [
            format_ratio_range(speedup(seconds, timed[ours]["seconds"])) if ours in timed else "-"
            for ours in ("gaussmix", "gaussmix-dense")
        ]
        rows.append(
            [
                name,
                format_milliseconds(median(seconds)),
                *ratios,
                _format_log_likelihood_gap(name, timed[name], timed[reference]),
            ]
        )
    head = [
        "library",
        "ms per iteration",
        "over gaussmix",
        "over gaussmix-dense",
        f"log-likelihood minus {reference}'s",
    ]
    return format_table(head, rows)


def _format_log_likelihood_gap(name: str, peer: dict, reference: dict) -> str:
    """Return the difference of the log-likelihood per row to that of the reference."""
    if not PEERS[name].can_start_from_parameters:
        return "own start"
    gap = peer["log_likelihood"] - reference["log_likelihood"]
    return f"{gap:+.0e}" if isfinite(gap) else "not a number"
