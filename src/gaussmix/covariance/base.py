"""The socket for covariance structures: a value that holds covariances, and a family that makes them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import AbstractPrecisionRoot
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD, ND, BoolK, D, IntD, K

RELATIVE_FLOOR = 1e-9  # smallest variance of a fit, as a share of the overall one


@dataclass(frozen=True)
class AbstractCovariance(ABC):
    """The K covariance matrices of a mixture, held as factors F with F F^T = covariance.

    ``floored`` tells, per component, whether the last estimate rests on its floor.
    """

    structure: Structure
    is_floored: BoolK

    @property
    @abstractmethod
    def precision_root(self) -> AbstractPrecisionRoot:
        """Square roots of the precisions."""

    @property
    @abstractmethod
    def log_determinants(self) -> K:
        """log |covariance| of each component."""

    @property
    @abstractmethod
    def n_features(self) -> int: ...

    @property
    def n_components(self) -> int:
        return len(self.is_floored)

    @abstractmethod
    def matrices(self) -> KDD:
        """The covariance matrices, (K, D, D)."""

    @abstractmethod
    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Standard normal rows (n, D) turned into rows with the covariance of a component."""

    @abstractmethod
    def permute_components(self, order: IntD) -> "AbstractCovariance":
        """The same covariances with the components in another order."""

    def precisions(self) -> KDD:
        """The precision matrices, (K, D, D)."""
        roots = self.precision_root.to_dense(self.n_components, self.n_features)
        return np.asarray(roots @ np.swapaxes(roots, 1, 2))


MStep = Callable[[Structure, Moments, "D | None", "AbstractCovariance | None"], AbstractCovariance]
"""From scatter, floor and the covariances before to those that maximise the expected likelihood."""


class AbstractCovarianceEstimator(ABC):
    """The M-step of one structure: covariances that maximise the expected likelihood, from moments only."""

    structure: Structure

    def with_prior(self, moments: Moments) -> Moments:
        """The moments together with what is believed before the data: means, scatter, and the mass to divide it by."""
        return moments

    def log_prior(self, centers: KD, covariance: AbstractCovariance) -> float:
        """What is believed before the data, as a log density up to a constant: 0 where nothing is."""
        return 0.0

    @property
    def plain_floor(self) -> D | None:
        """The floor (D,), where the M-step is that of one of the fourteen structures above a floor and no ridge."""
        return None

    @property
    def min_variances(self) -> D | None:
        """The least variances (D,), in the frame; None where nothing is forbidden."""
        return None

    def prior_statistics(self, n_components: int) -> PriorStatistics | None:
        """What `informed` and `log_prior` come to, in plain numbers; None where nothing is believed."""
        return None

    @property
    @abstractmethod
    def moment_kind(self) -> MomentKind:
        """The scatter this family reads."""

    @abstractmethod
    def estimate(self, moments: Moments, previous: AbstractCovariance | None = None) -> AbstractCovariance:
        """The maximiser within the structure and above the floor of this family.

        Where it has to be searched for, the search begins at the covariances ``before``, if there
        are any: what is found is then at least as good, wherever the search ends.

        Raises
        ------
        CollapseError
            If a covariance is singular and no floor is in force.
        """
