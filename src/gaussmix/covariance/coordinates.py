"""Covariances of a structure as free numbers about some of its members, and gradients along them.

A covariance is exp(v_k) M_k with M_k of determinant one: a volume, and within M_k a shape and an orientation
(`structure.py`). Numbers without bounds say each part: v_k itself; contrasts z of log variances, which add up to zero
along the columns; below the diagonal of a triangular factor S what turns, where shape and orientation are both shared
or both free, M_k = L_k S_k S_k^T L_k^T with L_k from the member begun at; and a skew matrix W, where only one of them
is shared, Q = Q_0 (I - W)(I + W)^-1 (Cayley). All are zero at that member, and in units in which the Fisher information
of ``masses`` rows of each component is one there, whatever units the data have.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.forms import DiagonalCovariance, SphericalCovariance, from_eigen, from_factors, share
from gaussmix.covariance.plain import to_plain
from gaussmix.types import KD, KDD, Array, IntD, K

_MOST = 40.0  # of a log variance about the member: beyond, squares of such numbers overflow
_LEAST_TURN = 1e-3  # of a turn's information per row: variances that are equal know no direction


class AbstractCoordinates(ABC):
    """Free numbers for covariances near to some of them; ``kind`` is the scatter that a gradient is made of."""

    kind: MomentKind

    @abstractmethod
    def vector(self, covariance: AbstractCovariance) -> Array:
        """The numbers of a member of the structure."""

    @abstractmethod
    def covariance(self, vector: Array) -> AbstractCovariance:
        """The member that has these numbers."""

    @abstractmethod
    def pulled_back(self, vector: Array, slope: Array) -> Array:
        """The gradient along the numbers, from that along the covariances: (K, D, D), or (K, D) of their variances."""


@dataclass(frozen=True)
class Parts:
    """Volumes (1 or K), contrasts of log variances (0, 1 or K, D - 1), and turns (0, 1 or K, D (D - 1) / 2)."""

    volumes: Array
    contrasts: Array
    turns: Array

    def packed(self) -> Array:
        return np.concatenate([self.volumes.ravel(), self.contrasts.ravel(), self.turns.ravel()])

    def unpacked(self, vector: Array) -> "Parts":
        """A vector cut into parts as these are."""
        first, second = self.volumes.size, self.volumes.size + self.contrasts.size
        cut = np.split(vector, [first, second])
        shapes = (self.volumes.shape, self.contrasts.shape, self.turns.shape)
        return Parts(*(part.reshape(shape) for part, shape in zip(cut, shapes, strict=True)))

    def __mul__(self, scales: "Parts") -> "Parts":
        return Parts(self.volumes * scales.volumes, self.contrasts * scales.contrasts, self.turns * scales.turns)

    def __truediv__(self, scales: "Parts") -> "Parts":
        return Parts(self.volumes / scales.volumes, self.contrasts / scales.contrasts, self.turns / scales.turns)


@dataclass(frozen=True)
class _Structured(AbstractCoordinates):
    """What the three ways to turn have in common; ``scales`` are roots of the information of each number."""

    before: AbstractCovariance
    masses: K
    scales: Parts

    def vector(self, covariance: AbstractCovariance) -> Array:
        return (self._parts(covariance) * self.scales).packed()

    def covariance(self, vector: Array) -> AbstractCovariance:
        return self._member(self._bounded(vector))

    def pulled_back(self, vector: Array, slope: Array) -> Array:
        return (self._gradient(self._bounded(vector), slope) / self.scales).packed()

    def _bounded(self, vector: Array) -> Parts:
        parts = self.scales.unpacked(vector) / self.scales  # with volumes that do not overflow
        return Parts(np.clip(parts.volumes, -_MOST, _MOST), parts.contrasts, parts.turns)

    @abstractmethod
    def _parts(self, covariance: AbstractCovariance) -> Parts: ...

    @abstractmethod
    def _member(self, parts: Parts) -> AbstractCovariance: ...

    @abstractmethod
    def _gradient(self, parts: Parts, slope: Array) -> Parts: ...

    @property
    def n_features(self) -> int:
        return self.before.n_features

    def _shared(self, letter: str, each: Array) -> Array:
        """Of numbers of each component (K, ...): none, their mean, or all of them."""
        if letter == "V":
            return each
        if letter == "I":
            return each[:0]
        return np.average(each, axis=0, weights=self.masses)[None]

    def _logs(self, parts: Parts) -> KD:
        """What log variances gain: volume and contrasts, (K, D)."""
        spread = parts.contrasts @ linalg.contrasts(self.n_features) if parts.contrasts.shape[0] else 0.0
        logs = parts.volumes[:, None] + spread
        return np.asarray(np.broadcast_to(np.clip(logs, -_MOST, _MOST), (len(self.masses), self.n_features)))

    def _levels(self, logs: KD) -> tuple[Array, Array]:
        """Volumes and contrasts of log variances (K, D)."""
        structure, volume = self.before.structure, logs.mean(axis=1)
        apart = (logs - volume[:, None]) @ linalg.contrasts(self.n_features).T
        return self._shared(structure.volume, volume), self._shared(structure.shape, apart)

    def _level_gradient(self, slope: KD) -> tuple[Array, Array]:
        """The gradient along volumes and contrasts, from that along log variances (K, D)."""
        structure, apart = self.before.structure, slope @ linalg.contrasts(self.n_features).T
        return summed(structure.volume, slope.sum(axis=1)), summed(structure.shape, apart)


def summed(letter: str, each: Array) -> Array:
    """What falls to a part that all components share, that none has, or that each has by itself."""
    if letter == "V":
        return each
    return each[:0] if letter == "I" else each.sum(axis=0, keepdims=True)


@dataclass(frozen=True)
class AlongColumns(_Structured):
    """Variances along the columns."""

    kind = MomentKind.DIAGONAL

    def _parts(self, covariance: AbstractCovariance) -> Parts:
        logs = np.log(_variances(covariance)) - np.log(_variances(self.before))
        return Parts(*self._levels(logs), np.empty((0, 0)))

    def _member(self, parts: Parts) -> AbstractCovariance:
        variances, structure = _variances(self.before) * np.exp(self._logs(parts)), self.before.structure
        free = np.zeros(len(variances), dtype=bool)
        if structure.shape == "I":
            return SphericalCovariance(structure, free, variances[:, 0].copy(), self.n_features)
        return DiagonalCovariance(structure, free, variances)

    def _gradient(self, parts: Parts, slope: KD) -> Parts:
        variances = _variances(self.before) * np.exp(self._logs(parts))
        return Parts(*self._level_gradient(slope * variances), np.empty((0, 0)))


def _variances(covariance: AbstractCovariance) -> KD:
    if isinstance(covariance, DiagonalCovariance):
        return covariance.variances
    return np.asarray(np.einsum("kii->ki", covariance.matrices()))


@dataclass(frozen=True)
class ByFactors(_Structured):
    """Triangular factors relative to those (K, D, D) of the member begun at."""

    factors: KDD
    inverses: KDD

    kind = MomentKind.FULL

    def _parts(self, covariance: AbstractCovariance) -> Parts:
        inner = self.inverses @ covariance.matrices() @ np.swapaxes(self.inverses, 1, 2)
        own = linalg.factorised(inner)[0]
        logs = 2.0 * np.log(np.einsum("kii->ki", own))
        volumes, apart = self._levels(logs)
        unit = own / np.exp(0.5 * logs.mean(axis=1))[:, None, None]
        return Parts(volumes, apart, self._shared(self.before.structure.orientation, _below(unit)))

    def _member(self, parts: Parts) -> AbstractCovariance:
        factors = self.factors @ self._relative(parts)
        if str(structure := self.before.structure) == "EEE":
            return share(from_factors(structure, factors[:1]), len(factors))
        return from_factors(structure, factors)

    def _gradient(self, parts: Parts, slope: KDD) -> Parts:
        """With F = L S e^(v/2): along S it is 2 e^v L^T G L S, along log volumes tr(G F F^T)."""
        own, structure = self._relative(parts), self.before.structure
        along = 2.0 * np.swapaxes(self.factors, 1, 2) @ slope @ self.factors @ own
        levels = 0.5 * np.einsum("kii,kii->ki", own, along)
        rescaled = along * np.exp(0.5 * np.broadcast_to(parts.volumes, len(own)))[:, None, None]
        whole = 0.5 * np.einsum("kij,kij->k", own, along)
        apart = levels @ linalg.contrasts(self.n_features).T
        return Parts(
            summed(structure.volume, whole), summed(structure.shape, apart), summed(structure.shape, _below(rescaled))
        )

    def _relative(self, parts: Parts) -> KDD:
        """S e^(v/2), (K, D, D)."""
        n_components, n = self.factors.shape[:2]
        unit = np.zeros((n_components, n, n))
        unit[:, *np.tril_indices(n, -1)] = parts.turns
        volumes = np.broadcast_to(parts.volumes, n_components)[:, None]
        np.einsum("kii->ki", unit)[:] = np.exp(0.5 * (self._logs(parts) - volumes))
        return np.asarray(unit * np.exp(0.5 * volumes)[:, :, None])


def _below(matrices: KDD) -> Array:
    """What stands below the diagonals, (K, D (D - 1) / 2)."""
    return np.asarray(matrices[:, *np.tril_indices(matrices.shape[1], -1)])


@dataclass(frozen=True)
class ByTurns(_Structured):
    """Variances (K, D) along axes (K, D, D) that turn, all together or each by itself."""

    values: KD
    axes: KDD

    kind = MomentKind.FULL

    def _parts(self, covariance: AbstractCovariance) -> Parts:
        values, axes, _ = to_plain(covariance)
        values, turned = self._matched(values, np.swapaxes(self.axes, 1, 2) @ axes)
        volumes, apart = self._levels(np.log(values) - np.log(self.values))
        return Parts(volumes, apart, self._shared(self._turning, _below(linalg.skews(turned))))

    def _member(self, parts: Parts) -> AbstractCovariance:
        values, axes = self.values * np.exp(self._logs(parts)), self.axes @ self._turns(parts)[0]
        return from_eigen(self.before.structure, values, axes, np.zeros(len(values), dtype=bool))

    def _gradient(self, parts: Parts, slope: KDD) -> Parts:
        """Along Q it is 2 G Q diag(values); d(I - W)(I + W)^-1 = -2 (I + W)^-1 dW (I + W)^-1."""
        values, (turns, inner) = self.values * np.exp(self._logs(parts)), self._turns(parts)
        axes = self.axes @ turns
        along = slope @ axes
        levels = np.einsum("kij,kij->kj", axes, along) * values
        turned = np.swapaxes(self.axes, 1, 2) @ (2.0 * along * values[:, None, :])
        outer = np.swapaxes(inner, 1, 2)
        skew = -2.0 * outer @ turned @ outer
        return Parts(*self._level_gradient(levels), summed(self._turning, _below(skew - np.swapaxes(skew, 1, 2))))

    @property
    def _turning(self) -> str:
        return self.before.structure.orientation

    def _turns(self, parts: Parts) -> tuple[KDD, KDD]:
        """(I - W)(I + W)^-1 and (I + W)^-1, (K, D, D)."""
        n_components, n = self.values.shape
        skew = np.zeros((len(parts.turns), n, n))
        skew[:, *np.tril_indices(n, -1)] = parts.turns
        skew -= np.swapaxes(skew, 1, 2)
        whole, inner = linalg.cayley(skew)
        shape = (n_components, n, n)
        return np.broadcast_to(whole, shape), np.broadcast_to(inner, shape)

    def _matched(self, values: KD, turned: KDD) -> tuple[KD, KDD]:
        """Variances and axes, relative to those before, in the order and with the signs that turn them least."""
        order = _order(turned)
        values, turned = values[:, order], turned[:, :, order]
        signs = np.where(np.einsum("kii->ki", turned) < 0, -1.0, 1.0)
        if self._turning == "E":
            signs = np.repeat(signs[:1], len(signs), axis=0)
        return values, turned * signs[:, None, :]


def _order(turned: KDD) -> IntD:
    """The one order of axes for all components in which they lie nearest to those before."""
    return np.asarray(linear_sum_assignment(-(turned**2).sum(axis=0))[1])


def coordinates(before: AbstractCovariance, masses: K) -> AbstractCoordinates:
    """The coordinates of a structure about some of its members, for components of so many rows each."""
    structure, n = before.structure, before.n_features
    values, axes, matrices = to_plain(before)

    def rows(letter: str) -> Array:
        return summed(letter, masses)

    volumes = np.sqrt(0.5 * n * rows(structure.volume))
    apart = np.sqrt(0.5 * rows(structure.shape))[:, None] * np.ones(n - 1)
    if structure.orientation == "I":
        return AlongColumns(before, masses, Parts(volumes, apart, np.empty((0, 0))))
    turns = np.sqrt(rows(structure.orientation))[:, None] * np.ones(n * (n - 1) // 2)
    if structure.shape == structure.orientation:
        factors = linalg.factorised(matrices)[0]
        inverses = np.swapaxes(linalg.inverse_transposes(factors), 1, 2)
        return ByFactors(before, masses, Parts(volumes, apart, turns), factors, inverses)
    info = summed(structure.orientation, masses[:, None] * _information_of_turns(values))
    return ByTurns(before, masses, Parts(volumes, apart, np.sqrt(info)), values, axes)


def _information_of_turns(values: KD) -> Array:
    """Of one row about the entries of W, which turns by twice as much: 4 (a / b + b / a - 2)."""
    first, second = np.tril_indices(values.shape[1], -1)
    ratio = values[:, first] / values[:, second]
    return np.asarray(4.0 * np.maximum(ratio + 1.0 / ratio - 2.0, _LEAST_TURN))
