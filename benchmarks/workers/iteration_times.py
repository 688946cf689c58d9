"""One peer, one case: seconds per pass after the first, from a common start; one line of input asks for one figure.

Arguments: name, folder of rows and means, structure, passes, n, d, K.
"""

import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import scoring
from benchmarks.adapters import PEERS, Peer
from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

_MIN_SECONDS_PER_ANSWER = 0.5  # seconds that one answer should rest on
_MAX_REPEATS = 20
_MAX_FIRST_FIT_SECONDS = 10.0  # seconds of a fit of one pass, beyond which a peer is left out


def time_fit(peer: Peer, n_iter: int) -> float:
    """One fit on the clock."""
    began = time.perf_counter()
    peer.fit(n_iter)
    return time.perf_counter() - began


def seconds_per_iter(peer: Peer, n_iter: int, n_repeats: int) -> float:
    """Passes after the first: a longer fit less a fit of one pass; the median of some repeats."""
    return median((time_fit(peer, 1 + n_iter) - time_fit(peer, 1)) / n_iter for _ in range(n_repeats))


def prepare_peer(name: str, folder: Path, structure: str, n_iter: int, shape: tuple[int, int, int]) -> tuple[Peer, int]:
    """The peer, warm, with its parameters written down, and how many repeats make an answer."""
    peer = PEERS[name](*load_rows_and_means(folder, *shape), structure)
    if (taken := time_fit(peer, 1)) > _MAX_FIRST_FIT_SECONDS:
        raise TimeoutError(f"a fit of one pass took {taken:.0f} s")
    began = time.perf_counter()
    fitted = peer.fit(1 + n_iter)
    taken = time.perf_counter() - began
    _, d, K = shape
    weights, means, covariances = peer.extract_parameters(fitted)
    scoring.write_parameters(
        folder / f"{name}.bin", weights, means, scoring.full_covariances(structure, covariances, K, d)
    )
    if taken < _MAX_FIRST_FIT_SECONDS:  # it may have compiled something
        taken = time_fit(peer, 1 + n_iter)
    return peer, max(1, min(_MAX_REPEATS, round(_MIN_SECONDS_PER_ANSWER / taken)))


def main() -> None:
    """Answer until the input ends."""
    answer = open_answer_stream()
    name, folder, structure, passes, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    try:
        peer, repeats = prepare_peer(name, Path(folder), structure, int(passes), (n, d, K))
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for _ in sys.stdin:
        answer({"seconds": seconds_per_iter(peer, int(passes), repeats)})
    return None


if __name__ == "__main__":
    main()
