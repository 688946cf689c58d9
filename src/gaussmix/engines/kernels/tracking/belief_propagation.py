"""Loopy belief propagation on a sparse graph of tracks and detections, without Python in between.

It does what `tracking/marginals.py` does in NumPy.
"""

from gaussmix.engines.kernels.codegen.decorators import entry_point, kernel


@entry_point
def propagate_beliefs(
    track_starts, detections, track_weights, missed_weights, new_weights, messages, incoming, tolerance, max_iter
):
    """Iterate the messages until none changes by more than the relative tolerance; return the number of iterations.

    Edge e of track t, ``track_starts[t] <= e < track_starts[t + 1]``, has the detection ``detections[e]`` and the
    weight ``track_weights[e]``. ``messages`` (E,) are those from detections to tracks, ``incoming`` (n,) the sums of
    messages from tracks to each detection; ``messages`` start at 1.
    """
    n_tracks, n_detections = track_starts.shape[0] - 1, incoming.shape[0]
    for iteration in range(max_iter):
        for j in range(n_detections):
            incoming[j] = new_weights[j]
        for t in range(n_tracks):
            total = missed_weights[t]
            for e in range(track_starts[t], track_starts[t + 1]):
                total += track_weights[e] * messages[e]
            for e in range(track_starts[t], track_starts[t + 1]):
                incoming[detections[e]] += track_weights[e] / _rest(total, track_weights[e] * messages[e])
        largest_change = 0.0
        for t in range(n_tracks):
            total = missed_weights[t]
            for e in range(track_starts[t], track_starts[t + 1]):
                total += track_weights[e] * messages[e]
            for e in range(track_starts[t], track_starts[t + 1]):
                sent = track_weights[e] / _rest(total, track_weights[e] * messages[e])
                message = 1.0 / _rest(incoming[detections[e]], sent)
                change = abs(message - messages[e]) / max(abs(message), 1e-300)
                largest_change = max(largest_change, change)
                messages[e] = message
        if largest_change <= tolerance:
            return iteration + 1
    return max_iter


@kernel
def _rest(total, part):
    """Return the total without a part, kept above the rounding error of the total."""
    return max(total - part, 1e-16 * total)
