"""One peer, one case: seconds per pass after the first, from a common start; one line of input asks for one figure.

Arguments: name, folder of rows and means, structure, passes, n, d, K.
"""

import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import score
from benchmarks.adapters import PEERS, Peer
from benchmarks.data import load
from benchmarks.workers.answers import answering, reason

_ENOUGH = 0.5  # seconds that one answer should rest on
_MOST_REPEATS = 20
_SLOWEST = 10.0  # seconds of a fit of one pass, beyond which a peer is left out


def seconds_of(peer: Peer, passes: int) -> float:
    """One fit on the clock."""
    began = time.perf_counter()
    peer.fit(passes)
    return time.perf_counter() - began


def seconds_per_pass(peer: Peer, passes: int, repeats: int) -> float:
    """Passes after the first: a longer fit less a fit of one pass; the median of some repeats."""
    return median((seconds_of(peer, 1 + passes) - seconds_of(peer, 1)) / passes for _ in range(repeats))


def prepared(name: str, folder: Path, structure: str, passes: int, shape: tuple[int, int, int]) -> tuple[Peer, int]:
    """The peer, warm, with its parameters written down, and how many repeats make an answer."""
    peer = PEERS[name](*load(folder, *shape), structure)
    if (taken := seconds_of(peer, 1)) > _SLOWEST:
        raise TimeoutError(f"a fit of one pass took {taken:.0f} s")
    began = time.perf_counter()
    fitted = peer.fit(1 + passes)
    taken = time.perf_counter() - began
    _, d, K = shape
    weights, means, covariances = peer.parameters(fitted)
    score.write(folder / f"{name}.bin", weights, means, score.dense(structure, covariances, K, d))
    if taken < _SLOWEST:  # it may have compiled something
        taken = seconds_of(peer, 1 + passes)
    return peer, max(1, min(_MOST_REPEATS, round(_ENOUGH / taken)))


def main() -> None:
    """Answer until the input ends."""
    answer = answering()
    name, folder, structure, passes, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    try:
        peer, repeats = prepared(name, Path(folder), structure, int(passes), (n, d, K))
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": reason(error)})
    answer({"ready": True})
    for _ in sys.stdin:
        answer({"seconds": seconds_per_pass(peer, int(passes), repeats)})
    return None


if __name__ == "__main__":
    main()
