"""What keeps a covariance usable: a floor imposed inside the M-step, or a ridge added before it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.types import Array, D, IntD

_SKLEARN_PSEUDO_MASS = 10 * float(np.finfo(np.float64).eps)


class AbstractRegularizer(ABC):
    """How a family is kept away from singular covariances."""

    @abstractmethod
    def regularize_moments(self, moments: Moments) -> Moments:
        """The moments that the family shall estimate from."""

    @property
    @abstractmethod
    def floor(self) -> D | None:
        """Smallest variance allowed per column (D,), in the frame; None where there is none."""


@dataclass(frozen=True)
class NoRegularizer(AbstractRegularizer):
    """The bare M-step: no floor, nothing added."""

    def regularize_moments(self, moments: Moments) -> Moments:
        return moments

    @property
    def floor(self) -> D | None:
        return None


@dataclass(frozen=True)
class FloorRegularizer(AbstractRegularizer):
    """No eigenvalue below ``variances``, as a constraint of the M-step, so the likelihood cannot fall.

    For a structure that does not care about the scale of single columns the constraint is
    ``covariance - diag(variances)`` positive semidefinite; for the others all variances are equal
    and bound the eigenvalues themselves.
    """

    min_variances: D

    @classmethod
    def from_overall_variances(
        cls, overall_variances: D, exponents: IntD, scale_per_column: bool
    ) -> "FloorRegularizer":
        """1e-9 of the overall variance of each column (D,), or of their mean.

        Column j is held in units of ``2**-powers[j]``. A constant column has no variance to take a
        share of: it borrows the mean of the others, compared in the units of the widest, and where
        every column is constant, one.
        """
        moving = overall_variances > 0
        common = np.ldexp(overall_variances, 2 * (exponents.min() - exponents))
        typical = float(common[moving].mean()) if moving.any() else 1.0
        scale = (
            np.where(moving, overall_variances, typical)
            if scale_per_column
            else np.full_like(overall_variances, overall_variances.mean() or 1.0)
        )
        return cls(RELATIVE_FLOOR * scale)

    def regularize_moments(self, moments: Moments) -> Moments:
        return moments

    @property
    def floor(self) -> D | None:
        return self.min_variances


@dataclass(frozen=True)
class RidgeRegularizer(AbstractRegularizer):
    """scikit-learn's ``reg_covar``: a constant added to every variance, and no floor.

    ``amounts`` (D,) are the added variances in the frame and ``origin`` (D,) the user's zero in it:
    scikit-learn adds 10 eps to each mass, which pulls a mean that much towards zero. For variances
    along the columns that counts as a row of this mass at zero, which keeps some singleton
    components from failing, so it is reproduced here.
    """

    added_variances: D
    origin: D

    def regularize_moments(self, moments: Moments) -> Moments:
        if moments.kind not in (MomentKind.FULL, MomentKind.POOLED_FULL):
            merged = self._add_pseudo_mass(moments)
            return replace(merged, scatter=merged.scatter + self._added_scatter(merged))
        # Matrices are left as they are but for their diagonals, so only mass and mean are pulled.
        traces = replace(moments, scatter=np.zeros(len(moments.mass)), kind=MomentKind.TRACE)
        scatter = moments.scatter.copy()
        merged = replace(self._add_pseudo_mass(traces), scatter=scatter, kind=moments.kind)
        np.einsum("...ii->...i", scatter)[...] += self._added_scatter(merged)
        return merged

    def _add_pseudo_mass(self, moments: Moments) -> Moments:
        """The moments with a hint of mass at the user's zero."""
        mass = np.full(len(moments.mass), _SKLEARN_PSEUDO_MASS)
        origin = np.broadcast_to(self.origin, moments.mean.shape)
        return moments + Moments(mass, origin, np.zeros_like(moments.scatter), moments.kind)

    def _added_scatter(self, moments: Moments) -> Array:
        """What the ridge adds to the scatter; of matrices, to their diagonals."""
        mass, amounts = moments.mass, self.added_variances
        if moments.kind is MomentKind.TRACE:
            return np.asarray(mass * amounts.sum())
        if moments.kind in (MomentKind.FULL, MomentKind.DIAGONAL):
            return np.asarray(mass[:, None] * amounts)
        return np.asarray(mass.sum() * amounts)

    @property
    def floor(self) -> D | None:
        return None
