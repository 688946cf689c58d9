"""Time EM iterations of one peer on one case; each line of input requests one measurement.

Arguments: peer, folder of rows and means, structure, iterations, n, d, K.
"""

import sys
import time
from pathlib import Path
from statistics import median

from benchmarks import scoring
from benchmarks.adapters import PEERS, Peer
from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

_MIN_SECONDS_PER_ANSWER = 0.5  # total time of the repeats behind one answer
_MAX_REPEATS = 20
_MAX_FIRST_FIT_SECONDS = 10.0  # peers with a slower fit of one iteration are skipped


def time_fit(peer: Peer, n_iter: int) -> float:
    """Return the seconds of one fit."""
    start = time.perf_counter()
    peer.fit(n_iter)
    return time.perf_counter() - start


def seconds_per_iter(peer: Peer, n_iter: int, n_repeats: int) -> float:
    """Return the time of an iteration after the first one, as the difference of two fits; median of the repeats."""
    return median((time_fit(peer, 1 + n_iter) - time_fit(peer, 1)) / n_iter for _ in range(n_repeats))


def prepare_peer(name: str, folder: Path, structure: str, n_iter: int, shape: tuple[int, int, int]) -> tuple[Peer, int]:
    """Import and warm up the peer, write its fitted parameters; return it with the number of repeats per answer."""
    peer = PEERS[name](*load_rows_and_means(folder, *shape), structure)
    if (seconds := time_fit(peer, 1)) > _MAX_FIRST_FIT_SECONDS:
        raise TimeoutError(f"a fit of one iteration took {seconds:.0f} s")
    start = time.perf_counter()
    fitted = peer.fit(1 + n_iter)
    seconds = time.perf_counter() - start
    _, n_features, n_components = shape
    weights, means, covariances = peer.extract_parameters(fitted)
    covariances = scoring.full_covariances(structure, covariances, n_components, n_features)
    scoring.write_parameters(folder / f"{name}.bin", weights, means, covariances)
    if seconds < _MAX_FIRST_FIT_SECONDS:  # the first long fit may have included compilation
        seconds = time_fit(peer, 1 + n_iter)
    return peer, max(1, min(_MAX_REPEATS, round(_MIN_SECONDS_PER_ANSWER / seconds)))


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    name, folder, structure, n_iter, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    try:
        peer, n_repeats = prepare_peer(name, Path(folder), structure, int(n_iter), (n, d, K))
    except Exception as error:  # any failure of a library becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for _ in sys.stdin:
        answer({"seconds": seconds_per_iter(peer, int(n_iter), n_repeats)})
    return None


if __name__ == "__main__":
    main()
