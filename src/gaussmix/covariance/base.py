"""Sockets for covariance structures: covariances of one structure, and the estimator that makes them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import AbstractPrecisionRoot
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD, ND, BoolK, D, IntK, K

RELATIVE_FLOOR = 1e-9  # smallest variance of a fit, relative to the overall variance


@dataclass(frozen=True)
class AbstractCovariance(ABC):
    """The K covariance matrices of a mixture, stored as factors F with F F^T = covariance.

    ``is_floored`` (K,) says for each component whether the variance floor was active in the last estimate.
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
        """log |covariance| of each component, (K,)."""

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of columns D."""

    @property
    def n_components(self) -> int:
        """Number of components K."""
        return len(self.is_floored)

    @abstractmethod
    def matrices(self) -> KDD:
        """Return the covariance matrices, (K, D, D)."""

    @abstractmethod
    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Transform standard normal rows (n, D) into rows with the covariance of a component."""

    @abstractmethod
    def permute_components(self, order: IntK) -> "AbstractCovariance":
        """Return the same covariances with the components in another order."""

    def replace_components(
        self, is_replaced: BoolK, replacements_in_order: "AbstractCovariance"
    ) -> "AbstractCovariance":
        """Return the covariances with those marked replaced by ``replacements_in_order``, one for each mark.

        Raises TypeError unless the structure's ``has_independent_components`` is true.
        """
        raise TypeError(f"structure {self.structure} ties its covariances together; single ones cannot be replaced")

    def precisions(self) -> KDD:
        """Return the precision matrices, (K, D, D)."""
        roots = self.precision_root.to_dense(self.n_components, self.n_features)
        return np.asarray(roots @ np.swapaxes(roots, 1, 2))


# (structure, moments, floor, previous covariances) -> the covariances that maximise the expected log-likelihood.
MStep = Callable[[Structure, Moments, "D | None", "AbstractCovariance | None"], AbstractCovariance]


class AbstractCovarianceEstimator(ABC):
    """The covariance part of the M-step for one structure: moments in, covariances out."""

    structure: Structure

    def with_prior(self, moments: Moments) -> Moments:
        """Return the moments with the prior's means, scatter and mass added; the same moments without a prior."""
        return moments

    def log_prior(self, centers: KD, covariance: AbstractCovariance) -> float:
        """Return the log density of the prior up to a constant, 0 without a prior."""
        return 0.0

    @property
    def mclust_m_step_floor(self) -> D | None:
        """The floor (D,) if the M-step is that of an mclust structure above a floor; None for all other M-steps."""
        return None

    @property
    def min_variances(self) -> D | None:
        """The smallest allowed variances (D,), in the frame; None without a floor."""
        return None

    def prior_statistics(self, n_components: int) -> PriorStatistics | None:
        """Return what the prior adds to the statistics of each of ``n_components``; None without a prior."""
        return None

    @property
    @abstractmethod
    def moment_kind(self) -> MomentKind:
        """The kind of moments that the M-step needs."""

    @abstractmethod
    def estimate(self, moments: Moments, previous: AbstractCovariance | None = None) -> AbstractCovariance:
        """Return the covariances of the structure, at or above the floor, that maximise the expected log-likelihood.

        An iterative M-step begins at ``previous``, if given. Its result is at least as good as ``previous``,
        wherever it stops.

        Raises
        ------
        CollapseError
            If a covariance is singular and there is no floor.
        """
