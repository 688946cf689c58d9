"""Random covariances of each structure above a floor, near others or far from them: competitors of an M-step.

A member is ``U_k diag(exp(logs_k)) U_k^T`` in units of the floor, so that the floor is ``logs >= 0``. Only the
structure's letters come from the package.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from gaussmix.covariance import Structure
from gaussmix.types import KD, KDD, Array, D, K


@dataclass(frozen=True)
class Member:
    """Log eigenvalues (K, D) and axes (K, D, D), in units of the variances ``unit`` (D,)."""

    structure: Structure
    logs: KD
    axes: KDD
    unit: D
    is_floored: bool

    def matrices(self) -> KDD:
        """Return the covariances (K, D, D)."""
        half = self.axes * np.exp(0.5 * self.logs)[:, None, :] * np.sqrt(self.unit)[:, None]
        return np.asarray(half @ np.swapaxes(half, 1, 2))

    def nearby(self, rng: np.random.Generator, size: float) -> "Member":
        """Return a member of the same structure that differs by about ``size``, relatively."""
        logs = self.logs + size * rng.normal(size=self.logs.shape)
        spins = size * rng.normal(size=self.axes.shape)
        if self.structure.orientation == "E":
            spins = np.broadcast_to(spins[:1], spins.shape)
        turned = np.array([axes @ expm(spin - spin.T) for axes, spin in zip(self.axes, spins, strict=True)])
        return member(self.structure, logs, turned, self.unit, self.is_floored)


def member(structure: Structure, logs: KD, axes: KDD, unit: D, is_floored: bool) -> Member:
    """Return the member nearest to free eigenvalues and axes."""
    if structure.orientation == "I":
        axes = np.broadcast_to(np.eye(axes.shape[1]), axes.shape)
    elif structure.orientation == "E":
        axes = np.broadcast_to(axes[:1], axes.shape)
    volume = logs.mean(axis=1, keepdims=True)
    shape = {"I": np.zeros_like(logs), "E": (logs - volume).mean(axis=0, keepdims=True), "V": logs - volume}
    if structure.volume == "E":
        volume = np.broadcast_to(volume.mean(), volume.shape)
    obeyed = volume + shape[structure.shape]
    return Member(structure, _raise_to_floor(structure, obeyed) if is_floored else obeyed, axes, unit, is_floored)


def _raise_to_floor(structure: Structure, logs: KD) -> KD:
    """Raise log eigenvalues to zero or above within the structure."""
    above = np.maximum(logs, 0.0)
    if structure.volume == "E" and structure.shape == "V":
        volume = above.mean(axis=1, keepdims=True)
        flat = np.ones_like(above)
        return np.asarray(np.where(volume > 0, above / np.where(volume > 0, volume, 1.0), flat) * volume.mean())
    if structure.volume == "V" and structure.shape == "E":
        return np.asarray(logs - np.minimum(logs.min(axis=1, keepdims=True), 0.0))
    return np.asarray(above)


def random_member(
    rng: np.random.Generator, structure: Structure, n_components: int, unit: D, is_floored: bool
) -> Member:
    """Return a random member of the structure."""
    n_features = len(unit)
    logs = rng.normal(0.5, 1.5, size=(n_components, n_features))
    axes = np.linalg.qr(rng.normal(size=(n_components, n_features, n_features)))[0]
    return member(structure, logs, axes, unit, is_floored)


def decompose(structure: Structure, matrices: KDD, unit: D, is_floored: bool) -> Member:
    """Return covariances that obey the structure as a member."""
    inverse = 1.0 / np.sqrt(unit)
    relative = matrices * (inverse[:, None] * inverse)
    if structure.orientation == "I":
        logs = np.log(np.einsum("kii->ki", relative))
        return Member(structure, logs, np.broadcast_to(np.eye(len(unit)), matrices.shape), unit, is_floored)
    values, vectors = np.linalg.eigh(relative)
    return Member(structure, np.log(values), vectors, unit, is_floored)


def expected_log_likelihood(matrices: KDD, mass: K, scatter: Array) -> float:
    """Return the objective of an M-step: the sum of -(n_k log |S_k| + tr(S_k^-1 W_k)) / 2."""
    logs = np.linalg.slogdet(matrices)[1]
    traces = np.einsum("kii->k", np.linalg.solve(matrices, scatter))
    return float(-0.5 * (mass @ logs + traces.sum()))
