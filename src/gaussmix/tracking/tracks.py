"""Objects that a filter follows: each exists with a probability, and its state is a mixture."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import ParameterError
from gaussmix.model.component_reduction import merge_close_components
from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.types import AnyArray, IntN, K


@dataclass(frozen=True, eq=False)
class Tracks:
    """T tracks (Bernoulli components), each with a mixture of states.

    Attributes
    ----------
    existence : array of shape (T,)
        Probabilities that the objects exist.
    labels : int array of shape (T,)
    detections : int array of shape (T,)
        Position of the detection of the last scan that most probably belongs to the object; -1 if it has none.
    components : Components
        ``components.groups`` are positions of tracks, in ascending order; the weights of each track add up to 1.
    """

    existence: K
    labels: IntN
    detections: IntN
    components: Components

    def __len__(self) -> int:
        return len(self.existence)

    @classmethod
    def empty(cls, n_states: int) -> "Tracks":
        """Return no tracks."""
        none = np.zeros(0, dtype=np.int64)
        return cls(np.zeros(0), none, none, Components.empty(n_states))

    def select(self, is_kept: AnyArray) -> "Tracks":
        """Return the tracks where a mask (T,) is true."""
        if is_kept.all():
            return self
        new_positions = np.cumsum(is_kept) - 1
        components = self.components.select(is_kept[self.components.groups])
        return Tracks(
            self.existence[is_kept],
            self.labels[is_kept],
            self.detections[is_kept],
            components.with_groups(new_positions[components.groups]),
        )


def join_tracks(first: Tracks, second: Tracks) -> Tracks:
    """Return the tracks of both, the first ones first."""
    shifted = second.components.with_groups(second.components.groups + len(first))
    return Tracks(
        np.concatenate([first.existence, second.existence]),
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.detections, second.detections]),
        Components.concatenate([first.components, shifted]),
    )


@dataclass(frozen=True)
class ReductionLimits:
    """How mixtures are kept small.

    Parameters
    ----------
    min_weight : float, default=1e-5
        Components of less weight, relative to their track or intensity, are dropped.
    merge_distance : float, default=2.0
        Components closer than this Mahalanobis distance are merged.
    max_components : int, default=8
        Components kept in each track.

    Raises
    ------
    ParameterError
        If a number is not allowed.
    """

    min_weight: float = 1e-5
    merge_distance: float = 2.0
    max_components: int = 8

    def __post_init__(self) -> None:
        if not is_number_in(self.min_weight, 0.0, 1.0, includes_low=True):
            raise ParameterError.invalid_value("min_weight", self.min_weight, "a number from 0 to below 1")
        if not is_number_in(self.merge_distance, 0.0, np.inf, includes_low=True):
            raise ParameterError.invalid_value("merge_distance", self.merge_distance, "a finite number of at least 0")
        require_integer("max_components", self.max_components, 1)


TRACK_LIMITS, INTENSITY_LIMITS = ReductionLimits(), ReductionLimits(max_components=100)


def reduce_components(components: Components, limits: ReductionLimits) -> Components:
    """Drop light components, merge close ones of the same group and mode, and keep the heaviest of each group."""
    kept = components.select(components.weights > limits.min_weight)
    n_modes = int(kept.modes.max(initial=0)) + 1
    keys = kept.groups * n_modes + kept.modes
    reduced = merge_close_components(
        keys, kept.weights, kept.means, kept.covariances, limits.merge_distance**2, limits.max_components
    )
    return Components(
        kept.groups[reduced.positions],
        reduced.weights,
        reduced.means,
        reduced.covariances,
        kept.modes[reduced.positions],
    )


def weigh_by_existence(tracks: Tracks, probabilities: K | float = 1.0) -> Components:
    """Return the components with weights times existence and, for single hypotheses, their ``probabilities`` (T,)."""
    components = tracks.components
    return components.with_weights(components.weights * (probabilities * tracks.existence)[components.groups])


def normalize_tracks(tracks: Tracks) -> Tracks:
    """Return the same tracks with weights that add up to 1 in each track."""
    groups, weights = tracks.components.groups, tracks.components.weights
    totals = sum_in_groups(groups, weights, len(tracks))
    return replace(tracks, components=tracks.components.with_weights(weights / totals[groups]))
