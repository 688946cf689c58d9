"""All assignments of small problems, listed one by one: the oracle of filters of many objects."""

import itertools

import numpy as np

from gaussmix.tracking.marginals import AssociationWeights, Marginals


def assignments(n_tracks, n_detections):
    """Return all tuples with a detection, or -1, of each track; no detection occurs twice."""
    every = itertools.product(range(-1, n_detections), repeat=n_tracks)
    return [c for c in every if len(set(c) - {-1}) == sum(column >= 0 for column in c)]


def association_weights(log_edges, log_missed, log_new):
    """Return the weights of a dense matrix (T, n); minus infinity means no edge."""
    tracks, detections = np.nonzero(log_edges > -np.inf)
    return AssociationWeights(tracks, detections, log_edges[tracks, detections], log_missed, log_new)


def exact_marginals(log_edges, log_missed, log_new):
    """Return the probabilities of edges as a matrix (T, n), and the other marginals, from all assignments."""
    n_tracks, n_detections = log_edges.shape
    listed = assignments(n_tracks, n_detections)
    logs = np.array([log_weight(log_edges, log_missed, log_new, columns) for columns in listed])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    edges, missed, new = np.zeros((n_tracks, n_detections)), np.zeros(n_tracks), np.ones(n_detections)
    for columns, weight in zip(listed, weights, strict=True):
        for track, column in enumerate(columns):
            if column < 0:
                missed[track] += weight
            else:
                edges[track, column] += weight
                new[column] -= weight
    return Marginals(edges, missed, new)


def log_weight(log_edges, log_missed, log_new, columns):
    """Return the log of the weight of an assignment."""
    paired = sum(log_edges[t, j] if j >= 0 else log_missed[t] for t, j in enumerate(columns))
    return paired + sum(log_new[j] for j in range(len(log_new)) if j not in columns)


def dense_edges(weights, marginals):
    """Return the marginals of edges as a matrix (T, n)."""
    matrix = np.zeros((len(weights.log_missed), len(weights.log_new)))
    matrix[weights.tracks, weights.detections] = marginals.edges
    return matrix
