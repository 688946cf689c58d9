"""Weighted Gaussians in groups: the flat arrays in which filters keep the mixtures of all objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.types import KD, KDD, AnyArray, IntN, N


@dataclass(frozen=True, eq=False)
class Components:
    """M weighted Gaussians over states with D columns, each of which belongs to a group, such as a track.

    Parameters
    ----------
    groups : int array of shape (M,)
        Group of each component; positions in a list of tracks.
    weights : array of shape (M,)
        Not negative.
    means : array of shape (M, D)
    covariances : array of shape (M, D, D)
    modes : int array of shape (M,)
        Which of several motion models the object follows, counted from 1; 0 where there is only one, or none known yet.
    """

    groups: IntN
    weights: N
    means: KD
    covariances: KDD
    modes: IntN

    def __len__(self) -> int:
        return len(self.weights)

    @classmethod
    def empty(cls, n_states: int) -> "Components":
        """Return no components of states with ``n_states`` columns."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, np.zeros(0), np.zeros((0, n_states)), np.zeros((0, n_states, n_states)), none)

    @classmethod
    def concatenate(cls, parts: Sequence["Components"]) -> "Components":
        """Return the components of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.groups for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.means for part in parts]),
            np.concatenate([part.covariances for part in parts]),
            np.concatenate([part.modes for part in parts]),
        )

    def select(self, positions: AnyArray | slice) -> "Components":
        """Return the components at some positions, or where a mask is true."""
        return Components(
            self.groups[positions],
            self.weights[positions],
            self.means[positions],
            self.covariances[positions],
            self.modes[positions],
        )

    def with_weights(self, weights: N) -> "Components":
        """Return the same Gaussians with other weights."""
        return Components(self.groups, weights, self.means, self.covariances, self.modes)

    def with_groups(self, groups: IntN) -> "Components":
        """Return the same Gaussians in other groups."""
        return Components(groups, self.weights, self.means, self.covariances, self.modes)


def sum_in_groups(groups: IntN, values: N, n_groups: int) -> N:
    """Return the sum of the values of each of ``n_groups`` groups, (n_groups,)."""
    return np.bincount(groups, values, minlength=n_groups).astype(np.float64)
