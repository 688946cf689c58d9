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
_TINY = 1e-200  # instead of a sum of 0, which a certain association leaves


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

    Scaling all weights of a track, or of a detection, changes nothing. So weights of edges are first taken relative to
    those of a missed track and of a new detection, and units of measurements play no part. Then the largest weight of
    each track and of each detection becomes 1.
    """
    missed_scale = np.where(np.isfinite(weights.log_missed), weights.log_missed, 0.0)
    new_scale = np.where(np.isfinite(weights.log_new), weights.log_new, 0.0)
    log_edges = weights.log_weights - missed_scale[weights.tracks] - new_scale[weights.detections]
    log_missed, log_new = weights.log_missed - missed_scale, weights.log_new - new_scale
    scale = _max_in_groups(weights.tracks, log_edges, log_missed)
    log_edges, log_missed = log_edges - scale[weights.tracks], log_missed - scale
    scale = _max_in_groups(weights.detections, log_edges, log_new)
    edges = np.exp(log_edges - scale[weights.detections])
    missed, new = np.exp(log_missed), np.exp(log_new - scale)
    received, sent = _propagate(weights.tracks, weights.detections, edges, missed, new)
    return _make_marginals(weights.tracks, weights.detections, edges * received, missed, new, sent)


class _Messages(NamedTuple):
    """Messages after convergence: those from detections to tracks (E,), and those from tracks to detections (E,)."""

    received: N
    sent: N


def _propagate(tracks: IntN, detections: IntN, edges: N, missed: K, new: N) -> _Messages:
    """Return the messages after convergence, by compiled code if there is some."""
    messages = _Messages(np.ones(len(edges)), np.empty(len(edges)))
    n_iter = call_compiled_function(
        "propagate_beliefs",
        np.searchsorted(tracks, np.arange(len(missed) + 1)),
        np.ascontiguousarray(detections),
        edges,
        missed,
        new,
        *messages,
        np.empty(len(new)),
        np.empty(len(new), dtype=np.int64),
        _TOLERANCE,
        _MAX_ITER,
    )
    return _propagate_in_numpy(tracks, detections, edges, missed, new) if n_iter is None else messages


def _max_in_groups(groups: IntN, values: N, others: N) -> N:
    """Return the maximum of ``others`` and of the values of each group; 0 where it is minus infinity."""
    result = np.array(others)
    np.maximum.at(result, groups, values)
    return np.where(np.isfinite(result), result, 0.0)


def _propagate_in_numpy(tracks: IntN, detections: IntN, edges: N, missed: K, new: N) -> _Messages:
    """Return the messages after convergence."""
    received, sent = np.ones(len(edges)), np.zeros(len(edges))
    for _ in range(_MAX_ITER if len(edges) else 0):
        sent = edges / _sum_others(tracks, edges * received, missed)
        previous, received = received, 1.0 / _sum_others(detections, sent, new)
        if (np.abs(received - previous) / received).max() <= _TOLERANCE:
            break
    return _Messages(received, sent)


def _sum_others(groups: IntN, values: N, starts: N) -> N:
    """Return the sum of ``starts`` and of all other values of the group, for each value; at least a tiny number.

    The largest value of each group is kept out of the sum, because a sum minus its largest term would lose all digits.
    """
    order = np.lexsort((values, groups))
    is_top = np.zeros(len(values), dtype=bool)
    is_top[order] = np.append(groups[order][1:] != groups[order][:-1], True)
    rest = starts + sum_in_groups(groups, np.where(is_top, 0.0, values), len(starts))
    largest = sum_in_groups(groups, np.where(is_top, values, 0.0), len(starts))
    return np.maximum(np.where(is_top, rest[groups], rest[groups] - values + largest[groups]), _TINY)


def _make_marginals(tracks: IntN, detections: IntN, products: N, missed: K, new: N, sent: N) -> Marginals:
    """Return the marginals of converged messages; what has no edge is missed, or new, for sure.

    ``products`` (E,) are weights of edges times messages from detections to tracks.
    """
    track_totals = missed + sum_in_groups(tracks, products, len(missed))
    detection_totals = new + sum_in_groups(detections, sent, len(new))
    return Marginals(
        products / np.maximum(track_totals, _TINY)[tracks],
        np.divide(missed, track_totals, out=np.ones(len(missed)), where=track_totals > 0.0),
        np.divide(new, detection_totals, out=np.ones(len(new)), where=detection_totals > 0.0),
    )
