"""All structures as rows of one table: which scatter each reads, and its M-step."""

from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import closed_form, factor_analyzers, iterative
from gaussmix.covariance.base import AbstractCovariance, AbstractCovarianceEstimator, MStep
from gaussmix.covariance.prior import NormalInverseWishart
from gaussmix.covariance.regularizer import AbstractRegularizer, FloorRegularizer
from gaussmix.covariance.structure import MclustStructure, Structure
from gaussmix.types import KD, D


def _ignore_previous(m_step: Callable[[Structure, Moments, "D | None"], AbstractCovariance]) -> MStep:
    """A closed form, to which the covariances before do not matter."""
    return lambda structure, moments, floor, before: m_step(structure, moments, floor)


M_STEPS: dict[str, tuple[MomentKind, MStep]] = {
    "EII": (MomentKind.TRACE, _ignore_previous(closed_form.estimate_eii)),
    "VII": (MomentKind.TRACE, _ignore_previous(closed_form.estimate_vii)),
    "EEI": (MomentKind.POOLED_DIAGONAL, _ignore_previous(closed_form.estimate_eei)),
    "VEI": (MomentKind.DIAGONAL, iterative.estimate_vei),
    "EVI": (MomentKind.DIAGONAL, _ignore_previous(closed_form.estimate_evi)),
    "VVI": (MomentKind.DIAGONAL, _ignore_previous(closed_form.estimate_vvi)),
    "EEE": (MomentKind.POOLED_FULL, _ignore_previous(closed_form.estimate_eee)),
    "VEE": (MomentKind.FULL, iterative.estimate_vee),
    "EVE": (MomentKind.FULL, iterative.estimate_eve),
    "VVE": (MomentKind.FULL, iterative.estimate_vve),
    "EEV": (MomentKind.FULL, _ignore_previous(closed_form.estimate_eev)),
    "VEV": (MomentKind.FULL, iterative.estimate_vev),
    "EVV": (MomentKind.FULL, _ignore_previous(closed_form.estimate_evv)),
    "VVV": (MomentKind.FULL, _ignore_previous(closed_form.estimate_vvv)),
    **factor_analyzers.FACTOR_M_STEPS,
}


@dataclass(frozen=True)
class CovarianceEstimator(AbstractCovarianceEstimator):
    """A structure, the scatter it reads, its M-step, the limit that keeps it usable, and a prior if there is one."""

    structure: Structure
    required_kind: MomentKind
    m_step: MStep
    regularizer: AbstractRegularizer
    prior: NormalInverseWishart | None = None

    def with_prior(self, moments: Moments) -> Moments:
        return moments if self.prior is None else self.prior.add_to_moments(moments, self.structure)

    def log_prior(self, centers: KD, covariance: AbstractCovariance) -> float:
        return 0.0 if self.prior is None else self.prior.log_density(centers, covariance)

    @property
    def plain_floor(self) -> D | None:
        is_bare = isinstance(self.structure, MclustStructure) and isinstance(self.regularizer, FloorRegularizer)
        return self.regularizer.floor if is_bare else None

    @property
    def min_variances(self) -> D | None:
        return self.regularizer.floor

    def prior_statistics(self, n_components: int) -> PriorStatistics | None:
        return None if self.prior is None else self.prior.prior_statistics(self.structure, n_components)

    @property
    def moment_kind(self) -> MomentKind:
        return self.required_kind

    def estimate(self, moments: Moments, previous: AbstractCovariance | None = None) -> AbstractCovariance:
        return self.m_step(
            self.structure, self.regularizer.regularize_moments(moments), self.regularizer.floor, previous
        )


def make_covariance_estimator(
    structure: Structure, regularizer: AbstractRegularizer, prior: NormalInverseWishart | None = None
) -> CovarianceEstimator:
    """The family of a structure, kept usable by a limit (``Floor`` or ``Ridge``), with or without a prior."""
    kind, m_step = M_STEPS[str(structure)]
    return CovarianceEstimator(structure, kind, m_step, regularizer, prior)
