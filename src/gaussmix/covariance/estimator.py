"""Estimators of covariances: a table of the scatter that each structure needs and of its M-step."""

from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import closed_form, iterative
from gaussmix.covariance.base import AbstractCovariance, AbstractCovarianceEstimator, MStep
from gaussmix.covariance.factor_analyzers import estimate_diagonal_noise, estimate_isotropic_noise
from gaussmix.covariance.prior import NormalInverseWishart
from gaussmix.covariance.regularizer import AbstractRegularizer, FloorRegularizer
from gaussmix.covariance.shared_loadings import estimate_shared_loadings
from gaussmix.covariance.structure import MclustStructure, Structure
from gaussmix.types import KD, D


@dataclass(frozen=True)
class _IgnorePrevious:
    """A closed-form M-step as one that also takes the previous covariances, and ignores them; picklable."""

    m_step: Callable[[Structure, Moments, "D | None"], AbstractCovariance]

    def __call__(
        self, structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
    ) -> AbstractCovariance:
        return self.m_step(structure, moments, floor)


M_STEPS: dict[str, tuple[MomentKind, MStep]] = {
    "EII": (MomentKind.TRACE, _IgnorePrevious(closed_form.estimate_eii)),
    "VII": (MomentKind.TRACE, _IgnorePrevious(closed_form.estimate_vii)),
    "EEI": (MomentKind.POOLED_DIAGONAL, _IgnorePrevious(closed_form.estimate_eei)),
    "VEI": (MomentKind.DIAGONAL, iterative.estimate_vei),
    "EVI": (MomentKind.DIAGONAL, _IgnorePrevious(closed_form.estimate_evi)),
    "VVI": (MomentKind.DIAGONAL, _IgnorePrevious(closed_form.estimate_vvi)),
    "EEE": (MomentKind.POOLED_FULL, _IgnorePrevious(closed_form.estimate_eee)),
    "VEE": (MomentKind.FULL, iterative.estimate_vee),
    "EVE": (MomentKind.FULL, iterative.estimate_eve),
    "VVE": (MomentKind.FULL, iterative.estimate_vve),
    "EEV": (MomentKind.FULL, _IgnorePrevious(closed_form.estimate_eev)),
    "VEV": (MomentKind.FULL, iterative.estimate_vev),
    "EVV": (MomentKind.FULL, _IgnorePrevious(closed_form.estimate_evv)),
    "VVV": (MomentKind.FULL, _IgnorePrevious(closed_form.estimate_vvv)),
    "CCC": (MomentKind.POOLED_FULL, estimate_isotropic_noise),
    "CCU": (MomentKind.POOLED_FULL, estimate_diagonal_noise),
    "CUC": (MomentKind.FULL, estimate_shared_loadings),
    "CUU": (MomentKind.FULL, estimate_shared_loadings),
    "UCC": (MomentKind.FULL, estimate_isotropic_noise),
    "UCU": (MomentKind.FULL, estimate_diagonal_noise),
    "UUC": (MomentKind.FULL, estimate_isotropic_noise),
    "UUU": (MomentKind.FULL, estimate_diagonal_noise),
}


@dataclass(frozen=True)
class CovarianceEstimator(AbstractCovarianceEstimator):
    """A structure with its M-step, the scatter that it needs, a regularizer, and an optional prior."""

    structure: Structure
    required_kind: MomentKind
    m_step: MStep
    regularizer: AbstractRegularizer
    prior: NormalInverseWishart | None = None

    def with_prior(self, moments: Moments) -> Moments:
        """Return the moments with the prior's statistics added."""
        return moments if self.prior is None else self.prior.add_to_moments(moments, self.structure)

    def log_prior(self, centers: KD, covariance: AbstractCovariance) -> float:
        """Return the log density of the prior up to a constant, 0 without a prior."""
        return 0.0 if self.prior is None else self.prior.unnormalized_log_density(centers, covariance)

    @property
    def mclust_m_step_floor(self) -> D | None:
        """The floor (D,) if the structure is mclust's and the regularizer is a floor; None otherwise."""
        is_bare = isinstance(self.structure, MclustStructure) and isinstance(self.regularizer, FloorRegularizer)
        return self.regularizer.floor if is_bare else None

    @property
    def min_variances(self) -> D | None:
        """The smallest allowed variances (D,) of the regularizer, in the frame; None without a floor."""
        return self.regularizer.floor

    def prior_statistics(self, n_components: int) -> PriorStatistics | None:
        """Return the statistics of the prior; None without a prior."""
        return None if self.prior is None else self.prior.prior_statistics(self.structure, n_components)

    @property
    def moment_kind(self) -> MomentKind:
        """The kind of moments that the M-step needs."""
        return self.required_kind

    def estimate(self, moments: Moments, previous: AbstractCovariance | None = None) -> AbstractCovariance:
        """Return the covariances that maximise the expected log-likelihood of the regularized moments."""
        return self.m_step(
            self.structure, self.regularizer.regularize_moments(moments), self.regularizer.floor, previous
        )


def make_covariance_estimator(
    structure: Structure, regularizer: AbstractRegularizer, prior: NormalInverseWishart | None = None
) -> CovarianceEstimator:
    """Return the estimator of a structure with a regularizer and an optional prior."""
    kind, m_step = M_STEPS[str(structure)]
    return CovarianceEstimator(structure, kind, m_step, regularizer, prior)
