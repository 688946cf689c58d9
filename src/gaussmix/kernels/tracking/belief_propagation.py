"""Loopy belief propagation on a sparse graph of tracks and detections, without Python in between.

It does what `tracking/marginals.py` does in NumPy.
"""

from gaussmix.kernels.codegen.decorators import entry_point, kernel

_TINY = 1e-200  # instead of a sum of 0, which a certain association leaves


@entry_point
def propagate_beliefs(
    track_starts, detections, weights, missed_weights, new_weights, messages, sent, sums, top_edges, tolerance, max_iter
):
    """Iterate the messages until none changes by more than the relative tolerance; return the number of iterations.

    Edge e of track t, ``track_starts[t] <= e < track_starts[t + 1]``, has the detection ``detections[e]`` and the
    weight ``weights[e]``. ``messages`` (E,) are those from detections to tracks, and start at 1; ``sent`` (E,) are
    those from tracks to detections. ``sums`` (n,) are sums of messages to each detection without the largest one,
    which edge ``top_edges[j]`` sent, -1 if none.
    """
    for iteration in range(max_iter):
        _send_to_detections(track_starts, weights, missed_weights, messages, sent)
        _add_up(detections, new_weights, sent, sums, top_edges)
        largest_change = 0.0
        for e in range(weights.shape[0]):
            j = detections[e]
            top = top_edges[j]
            total = sums[j] if e == top else sums[j] - sent[e] + sent[top]
            message = 1.0 / max(total, _TINY)
            largest_change = max(largest_change, abs(message - messages[e]) / message)
            messages[e] = message
        if largest_change <= tolerance:
            return iteration + 1
    return max_iter


@kernel
def _send_to_detections(track_starts, weights, missed_weights, messages, sent):
    """Write the messages from tracks to detections.

    A message needs the sum over the other edges of the track. The largest term is kept out of the sum, because a sum
    minus its largest term would lose all digits.
    """
    for t in range(track_starts.shape[0] - 1):
        start, stop = track_starts[t], track_starts[t + 1]
        if start == stop:
            continue
        top = start
        for e in range(start + 1, stop):
            if weights[e] * messages[e] > weights[top] * messages[top]:
                top = e
        rest = missed_weights[t]
        for e in range(start, stop):
            if e != top:
                rest += weights[e] * messages[e]
        largest = weights[top] * messages[top]
        for e in range(start, stop):
            others = rest if e == top else rest - weights[e] * messages[e] + largest
            sent[e] = weights[e] / max(others, _TINY)


@kernel
def _add_up(detections, new_weights, sent, sums, top_edges):
    """Write the sums of messages to each detection without the largest, and which edge sent that."""
    for j in range(new_weights.shape[0]):
        sums[j] = new_weights[j]
        top_edges[j] = -1
    for e in range(sent.shape[0]):
        top = top_edges[detections[e]]
        if top < 0 or sent[e] > sent[top]:
            top_edges[detections[e]] = e
    for e in range(sent.shape[0]):
        if top_edges[detections[e]] != e:
            sums[detections[e]] += sent[e]
