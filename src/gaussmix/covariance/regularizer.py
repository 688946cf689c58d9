"""Regularisation of covariances: a floor as a constraint of the M-step, or a ridge added before it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.types import Array, D, IntD

_SKLEARN_PSEUDO_MASS = 10 * float(np.finfo(np.float64).eps)


class AbstractRegularizer(ABC):
    """A way to keep covariances from becoming singular."""

    @abstractmethod
    def regularize_moments(self, moments: Moments) -> Moments:
        """Return the moments from which covariances are estimated, with a ridge added if there is one."""

    @property
    @abstractmethod
    def floor(self) -> D | None:
        """Smallest allowed variance per column (D,), in the frame; None without a floor."""


@dataclass(frozen=True)
class NoRegularizer(AbstractRegularizer):
    """No floor and no ridge."""

    def regularize_moments(self, moments: Moments) -> Moments:
        """Return the moments unchanged."""
        return moments

    @property
    def floor(self) -> D | None:
        """Always None: there is no floor."""
        return None


@dataclass(frozen=True)
class FloorRegularizer(AbstractRegularizer):
    """A lower bound for all eigenvalues, as a constraint of the M-step, so that the likelihood cannot decrease.

    For scale-equivariant structures the constraint is that ``covariance - diag(min_variances)`` is positive
    semidefinite. For other structures all ``min_variances`` are equal, and bound the eigenvalues themselves.
    """

    min_variances: D

    @classmethod
    def from_overall_variances(
        cls, overall_variances: D, exponents: IntD, scale_per_column: bool
    ) -> "FloorRegularizer":
        """Make a floor of 1e-9 times the overall variance of each column, or times the mean of these variances.

        Parameters
        ----------
        overall_variances : array of shape (D,)
        exponents : int array of shape (D,)
            Column j is in units of ``2**-exponents[j]``.
        scale_per_column : bool
            Whether each column has its own floor. The floor of a constant column is then that of the mean variance of
            the other columns, compared in the units of the widest column; 1 if every column is constant.
        """
        is_varying = overall_variances > 0
        comparable = np.ldexp(overall_variances, 2 * (exponents.min() - exponents))
        mean_variance = float(comparable[is_varying].mean()) if is_varying.any() else 1.0
        scale = (
            np.where(is_varying, overall_variances, mean_variance)
            if scale_per_column
            else np.full_like(overall_variances, overall_variances.mean() or 1.0)
        )
        return cls(RELATIVE_FLOOR * scale)

    def regularize_moments(self, moments: Moments) -> Moments:
        """Return the moments unchanged."""
        return moments

    @property
    def floor(self) -> D | None:
        """Smallest allowed variance per column (D,), in the frame."""
        return self.min_variances


@dataclass(frozen=True)
class RidgeRegularizer(AbstractRegularizer):
    """scikit-learn's ``reg_covar``: a constant added to every variance, without a floor.

    ``added_variances`` (D,) are in the frame, and ``origin`` (D,) is the user's zero in the frame. scikit-learn adds
    10 eps to each mass, which pulls a mean towards zero by as much. For axis-aligned structures this acts like a row of
    that mass at zero, which prevents some components of a single row from failing. It is reproduced here.
    """

    added_variances: D
    origin: D

    def regularize_moments(self, moments: Moments) -> Moments:
        """Return the moments with scikit-learn's pseudo mass and the ridge added."""
        if moments.kind not in (MomentKind.FULL, MomentKind.POOLED_FULL):
            regularized = self._add_pseudo_mass(moments)
            return replace(regularized, scatter=regularized.scatter + self._added_diagonals_or_traces(regularized))
        # Of matrices only the diagonals change, so the pseudo mass moves masses and means only.
        trace_moments = replace(moments, scatter=np.zeros(len(moments.mass)), kind=MomentKind.TRACE)
        scatter = moments.scatter.copy()
        regularized = replace(self._add_pseudo_mass(trace_moments), scatter=scatter, kind=moments.kind)
        np.einsum("...ii->...i", scatter)[...] += self._added_diagonals_or_traces(regularized)
        return regularized

    def _add_pseudo_mass(self, moments: Moments) -> Moments:
        """Return the moments with scikit-learn's mass of 10 eps at the user's zero added to each component."""
        mass = np.full(len(moments.mass), _SKLEARN_PSEUDO_MASS)
        origin = np.broadcast_to(self.origin, moments.mean.shape)
        return moments + Moments(mass, origin, np.zeros_like(moments.scatter), moments.kind)

    def _added_diagonals_or_traces(self, moments: Moments) -> Array:
        """Return what the ridge adds to the scatter: to its traces (K,), or to its diagonals (K, D) or (D,)."""
        mass, amounts = moments.mass, self.added_variances
        if moments.kind is MomentKind.TRACE:
            return np.asarray(mass * amounts.sum())
        if moments.kind in (MomentKind.FULL, MomentKind.DIAGONAL):
            return np.asarray(mass[:, None] * amounts)
        return np.asarray(mass.sum() * amounts)

    @property
    def floor(self) -> D | None:
        """Always None: there is no floor."""
        return None
