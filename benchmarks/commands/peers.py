"""Us and every installed peer on the same data from the same start, in turn."""

from argparse import ArgumentParser, Namespace
from math import isfinite
from statistics import median

from benchmarks.adapters import OURS, PEERS
from benchmarks.commands import arguments as shared
from benchmarks.data import Case, chosen_cases
from benchmarks.markdown import factor, milliseconds, ranged, table
from benchmarks.turns import compare, say, times

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


def measure(arguments: Namespace) -> list[dict]:
    """One comparison for each case."""
    names, pythons = shared.names_of(arguments), shared.pythons_of(arguments)
    results = []
    for case in chosen_cases(arguments.structures, arguments.shapes):
        say(str(case))
        results.append(compare(case, names, pythons, arguments.runs, arguments.passes))
    return results


def markdown(results: list[dict]) -> str:
    """What it comes to, then a table for each case."""
    parts = [_summary(results)] if any(_fastest(result["peers"]) for result in results) else []
    for result in results:
        parts.append(f"### {Case(**result['case'])}\n\n{_case_table(result['peers'])}")
        missing = [f"{name}: {peer['reason']}" for name, peer in result["peers"].items() if "reason" in peer]
        if missing:
            parts.append("Not in the table: " + "; ".join(missing) + ".")
    return "\n\n".join(parts)


def _timed(peers: dict) -> dict:
    return {name: peer for name, peer in peers.items() if "seconds" in peer}


def _times_faster(peers: dict, slow: str | None, fast: str) -> str:
    timed = _timed(peers)
    if slow not in timed or fast not in timed:
        return "-"
    return factor(times(timed[slow]["seconds"], timed[fast]["seconds"])[0])


def _fastest(peers: dict) -> str | None:
    """The fastest library that is not ours and computes in float64."""
    others = {
        name: median(peer["seconds"])
        for name, peer in _timed(peers).items()
        if name not in OURS and not name.endswith("32") and name != "gmmx"
    }
    return min(others, key=others.__getitem__) if others else None


def _summary(results: list[dict]) -> str:
    """For each case, how many times faster than the fastest other library, and than scikit-learn."""
    rows = []
    for result in results:
        peers, fastest = result["peers"], _fastest(result["peers"])
        rows.append(
            [
                str(Case(**result["case"])),
                fastest or "-",
                _times_faster(peers, fastest, "gaussmix-dense"),
                _times_faster(peers, fastest, "gaussmix"),
                _times_faster(peers, "scikit-learn", "gaussmix"),
            ]
        )
    head = [
        "case",
        "fastest other in float64",
        "gaussmix-dense is faster than that by",
        "gaussmix is faster than that by",
        "gaussmix is faster than scikit-learn by",
    ]
    return table(head, rows)


def _case_table(peers: dict) -> str:
    """A row for each peer, fastest first."""
    timed = _timed(peers)
    reference = "scikit-learn" if "scikit-learn" in timed else next(iter(timed), "")
    rows = []
    for name in sorted(timed, key=lambda one: median(timed[one]["seconds"])):
        seconds = timed[name]["seconds"]
        over = [
            ranged(times(seconds, timed[ours]["seconds"])) if ours in timed else "-"
            for ours in ("gaussmix", "gaussmix-dense")
        ]
        rows.append([name, milliseconds(median(seconds)), *over, _gap(name, timed[name], timed[reference])])
    head = ["library", "ms a pass", "over gaussmix", "over gaussmix-dense", f"log-likelihood less {reference}'s"]
    return table(head, rows)


def _gap(name: str, peer: dict, reference: dict) -> str:
    """How far its log-likelihood per row is from the reference's."""
    if not PEERS[name].takes_start:
        return "own start"
    gap = peer["log_likelihood"] - reference["log_likelihood"]
    return f"{gap:+.0e}" if isfinite(gap) else "not a number"
