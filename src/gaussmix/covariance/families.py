"""All structures as rows of one table: which scatter each reads, and its M-step."""

from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.whole import Belief
from gaussmix.covariance import closed, factors, iterative
from gaussmix.covariance.base import AbstractCovariance, AbstractFamily, MStep
from gaussmix.covariance.prior import NormalInverseWishart
from gaussmix.covariance.regularise import AbstractLimit, Floor
from gaussmix.covariance.structure import ALL, Structure
from gaussmix.types import KD, D


def _at_once(m_step: Callable[[Structure, Moments, "D | None"], AbstractCovariance]) -> MStep:
    """A closed form, to which the covariances before do not matter."""
    return lambda structure, moments, floor, before: m_step(structure, moments, floor)


TABLE: dict[str, tuple[MomentKind, MStep]] = {
    "EII": (MomentKind.TRACE, _at_once(closed.eii)),
    "VII": (MomentKind.TRACE, _at_once(closed.vii)),
    "EEI": (MomentKind.POOLED_DIAGONAL, _at_once(closed.eei)),
    "VEI": (MomentKind.DIAGONAL, iterative.vei),
    "EVI": (MomentKind.DIAGONAL, _at_once(closed.evi)),
    "VVI": (MomentKind.DIAGONAL, _at_once(closed.vvi)),
    "EEE": (MomentKind.POOLED_FULL, _at_once(closed.eee)),
    "VEE": (MomentKind.FULL, iterative.vee),
    "EVE": (MomentKind.FULL, iterative.eve),
    "VVE": (MomentKind.FULL, iterative.vve),
    "EEV": (MomentKind.FULL, _at_once(closed.eev)),
    "VEV": (MomentKind.FULL, iterative.vev),
    "EVV": (MomentKind.FULL, _at_once(closed.evv)),
    "VVV": (MomentKind.FULL, _at_once(closed.vvv)),
    **factors.STEPS,
}


@dataclass(frozen=True)
class StructuredFamily(AbstractFamily):
    """A structure, the scatter it reads, its M-step, the limit that keeps it usable, and a prior if there is one."""

    structure: Structure
    kind_: MomentKind
    m_step: MStep
    limit: AbstractLimit
    prior: NormalInverseWishart | None = None

    def informed(self, moments: Moments) -> Moments:
        return moments if self.prior is None else self.prior.informed(moments, self.structure)

    def log_prior(self, centers: KD, covariance: AbstractCovariance) -> float:
        return 0.0 if self.prior is None else self.prior.log_density(centers, covariance)

    @property
    def bare_floor(self) -> D | None:
        is_bare = str(self.structure) in ALL and isinstance(self.limit, Floor)
        return self.limit.floor if is_bare else None

    @property
    def least(self) -> D | None:
        return self.limit.floor

    def belief(self, n_components: int) -> Belief | None:
        return None if self.prior is None else self.prior.plain(self.structure, n_components)

    @property
    def kind(self) -> MomentKind:
        return self.kind_

    def estimate(self, moments: Moments, before: AbstractCovariance | None = None) -> AbstractCovariance:
        return self.m_step(self.structure, self.limit.prepare(moments), self.limit.floor, before)


def family(
    structure: Structure, limit: AbstractLimit, prior: NormalInverseWishart | None = None
) -> StructuredFamily:
    """The family of a structure, kept usable by a limit (``Floor`` or ``Ridge``), with or without a prior."""
    kind, m_step = TABLE[str(structure)]
    return StructuredFamily(structure, kind, m_step, limit, prior)
