"""A scan as global hypotheses see it: single hypotheses before and after, and weights of associations."""

from dataclasses import dataclass

import numpy as np

from gaussmix.tracking.marginals import AssociationWeights
from gaussmix.types import AnyArray, BoolN, IntArray, IntN, N

# A detection that nothing explains is false with this log of a weight, relative to its best explanation.
_LOG_UNEXPLAINED = -700.0


@dataclass(frozen=True, eq=False)
class AssociationProblem:
    """A scan as clusters see it: L single hypotheses of tracks, E edges to detections, n detections.

    After the scan there are L + E + n single hypotheses: those that were missed, those of edges, and new tracks.
    ``is_kept`` (L + E + n,) tells which of them exist with enough probability.
    """

    weights: AssociationWeights
    is_kept: BoolN

    def child_positions(self, members: IntArray, edges: IntArray) -> IntArray:
        """Return the single hypotheses after the scan: that of an edge, or for edge -1 that of the missed member."""
        children = np.where(edges >= 0, len(self.weights.log_missed) + edges, members)
        return np.where((members >= 0) & self.is_kept[children], children, -1)

    def new_positions(self, detections: IntN, is_new: AnyArray) -> IntArray:
        """Return the single hypotheses of new tracks where ``is_new``, else -1."""
        children = len(self.weights.log_missed) + len(self.weights.tracks) + detections
        return np.where(is_new & self.is_kept[children], children, -1)


def weigh_unexplained(weights: AssociationWeights, detections: IntN, edges: IntN) -> N:
    """Return logs of weights of some detections without a track; those that nothing else explains get a small one.

    ``edges`` are all edges of the detections.
    """
    columns = np.searchsorted(detections, weights.detections[edges])
    best = np.full(len(detections), -np.inf)
    np.maximum.at(best, columns, weights.log_weights[edges])
    floor = np.where(np.isfinite(best), best, 0.0) + _LOG_UNEXPLAINED
    return np.maximum(weights.log_new[detections], floor)
