"""Marginal probabilities of associations by loopy belief propagation.

Each track gives at most one detection, and each detection comes from at most one track; else it is false, or the first
one of a new object. Exact marginals are sums over all assignments. Loopy belief propagation is exact on trees, always
converges, and is close to exact elsewhere (Williams & Lau, "Approximate evaluation of marginal association
probabilities with belief propagation", IEEE Trans. Aerospace and Electronic Systems 50, 2014).
"""

from typing import NamedTuple

import numpy as np

from gaussmix.engines.automatic import call_compiled_function
from gaussmix.tracking.components import sum_in_groups
from gaussmix.types import IntN, K, N

_TOLERANCE = 1e-6
_MAX_ITER = 500
_ROUNDING = 1e-16  # a sum without one of its terms is at least this part of the sum


class AssociationWeights(NamedTuple):
    """Logs of the weights of single associations.

    E edges join tracks and detections, ordered by track: ``tracks`` (E,), ``detections`` (E,) and ``log_weights``
    (E,). ``log_missed`` (T,) are those of tracks without a detection, ``log_new`` (n,) those of detections without a
    track. The probability of an assignment is proportional to the product of its weights.
    """

    tracks: IntN
    detections: IntN
    log_weights: N
    log_missed: K
    log_new: N


class Marginals(NamedTuple):
    """Probabilities of single associations: of edges (E,), of missed tracks (T,), of detections without track (n,)."""

    edges: N
    missed: K
    new: N


def compute_marginals(weights: AssociationWeights) -> Marginals:
    """Return the marginal probabilities of all associations by loopy belief propagation.

    Scaling all weights of a track, or of a detection, changes nothing. So both are scaled to a maximum of 1 first, and
    units of measurements play no part.
    """
    n_tracks, n_detections = len(weights.log_missed), len(weights.log_new)
    track_scale = _max_in_groups(weights.tracks, weights.log_weights, weights.log_missed)
    log_edges = weights.log_weights - track_scale[weights.tracks]
    scale = _max_in_groups(weights.detections, log_edges, weights.log_new)
    edges = np.exp(log_edges - scale[weights.detections])
    missed, new = np.exp(weights.log_missed - track_scale), np.exp(weights.log_new - scale)
    messages = np.ones(len(edges))
    starts = np.searchsorted(weights.tracks, np.arange(n_tracks + 1))
    n_iter = call_compiled_function(
        "propagate_beliefs",
        starts,
        weights.detections,
        edges,
        missed,
        new,
        messages,
        np.empty(n_detections),
        _TOLERANCE,
        _MAX_ITER,
    )
    if n_iter is None:
        messages = _propagate_in_numpy(weights.tracks, weights.detections, edges, missed, new)
    return _make_marginals(weights.tracks, weights.detections, edges, missed, new, messages)


def _max_in_groups(groups: IntN, values: N, others: N) -> N:
    """Return the maximum of ``others`` and of the values of each group; 0 where it is minus infinity."""
    result = np.array(others)
    np.maximum.at(result, groups, values)
    return np.where(np.isfinite(result), result, 0.0)


def _propagate_in_numpy(tracks: IntN, detections: IntN, edges: N, missed: K, new: N) -> N:
    """Return the messages from detections to tracks, (E,), after convergence."""
    messages = np.ones(len(edges))
    for _ in range(_MAX_ITER):
        sent = _send_to_detections(tracks, edges, missed, messages)
        total = new + sum_in_groups(detections, sent, len(new))
        previous, messages = messages, 1.0 / _without(total[detections], sent)
        if not len(edges) or (np.abs(messages - previous) / np.maximum(messages, 1e-300)).max() <= _TOLERANCE:
            break
    return messages


def _send_to_detections(tracks: IntN, edges: N, missed: K, messages: N) -> N:
    """Return the messages from tracks to detections, (E,)."""
    products = edges * messages
    total = missed + sum_in_groups(tracks, products, len(missed))
    return edges / _without(total[tracks], products)


def _without(totals: N, parts: N) -> N:
    """Return totals without a part of each, above the rounding error of the totals."""
    return np.maximum(totals - parts, np.maximum(_ROUNDING * totals, 1e-300))


def _make_marginals(tracks: IntN, detections: IntN, edges: N, missed: K, new: N, messages: N) -> Marginals:
    """Return the marginals of converged messages."""
    products = edges * messages
    track_totals = np.maximum(missed + sum_in_groups(tracks, products, len(missed)), 1e-300)
    sent = _send_to_detections(tracks, edges, missed, messages)
    detection_totals = np.maximum(new + sum_in_groups(detections, sent, len(new)), 1e-300)
    return Marginals(products / track_totals[tracks], missed / track_totals, new / detection_totals)
