"""``Constraints``: what a user wants held fixed, checked and carried into the frame of a fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.frame import Frame
from gaussmix.covariance import (
    INDEPENDENT_STRUCTURE_NAMES,
    AbstractCovariance,
    Structure,
    covariance_from_matrices,
    expand_covariances,
    sklearn_shape,
)
from gaussmix.errors import ConstraintError
from gaussmix.model.fixed_parameters import FixedParameters
from gaussmix.types import DD, KD, KDD, ArrayLike, BoolK, K

_WEIGHT_SUM_TOLERANCE = 1e-6  # by which weights that are all held may miss 1


@dataclass(frozen=True, eq=False)
class Constraints:
    """Parameters that a fit holds fixed, for ``GaussianMixture(constraints=...)``.

    Components keep the numbers they have here, and are not put in the order of their means, where
    any single one is held. Held parameters are imposed on the start, too, and do not count as free
    parameters.

    Parameters
    ----------
    equal_weights : bool, default=False
        All components weigh the same; noise keeps a weight of its own.
    weights : array-like of shape (K,), optional
        Weights between 0 and 1, NaN where free; free ones, and that of noise, share what is left.
    means : array-like of shape (K, D), optional
        In the data's units; rows of NaN where free.
    covariances : array-like or list, optional
        One per component in the data's units squared, NaN or None where free: matrices (D, D),
        variances (D,), or one variance. Single ones for VVV, VVI and VII; for every other structure
        all or none, in any shape that ``covariances_`` has.

    Raises
    ------
    ConstraintError
        From `GaussianMixture.fit`, where a shape or a number is not allowed, or the structure does not allow
        what is held.

    Examples
    --------
    >>> from gaussmix import Constraints, GaussianMixture
    >>> X = [[-1.0], [-0.9], [0.1], [3.9], [4.0], [4.2]]
    >>> held = Constraints(means=[[0.0], [float("nan")]])
    >>> GaussianMixture(2, constraints=held).fit(X).means_.round(3).ravel().tolist()
    [0.0, 4.033]
    """

    equal_weights: bool = False
    weights: ArrayLike | None = None
    means: ArrayLike | None = None
    covariances: Any = None

    def to_fixed_parameters(
        self, structure: Structure, n_components: int, frame: Frame, has_noise: bool = False
    ) -> FixedParameters | None:
        """What is held, in a frame; None where that is nothing.

        Raises
        ------
        ConstraintError
            If a shape or a number is not allowed, or the structure does not allow it.
        """
        n_features = len(frame.center)
        if not isinstance(self.equal_weights, (bool, np.bool_)):
            raise ConstraintError.equal_weights_not_bool(self.equal_weights)
        if self.equal_weights and self.weights is not None:
            raise ConstraintError.redundant_weights()
        weights = _parse_weights(self.weights, n_components, has_noise)
        centers = _parse_means(self.means, n_components, frame)
        chosen, covariance = _parse_covariances(self.covariances, structure, n_components, frame)
        count = _count_fixed_weights(bool(self.equal_weights), weights, has_noise)
        count += int(np.isfinite(centers).sum()) + structure.n_covariance_parameters(n_components, n_features) * int(
            chosen.all()
        )
        if not chosen.all():
            count += structure.n_covariance_parameters(1, n_features) * int(chosen.sum())
        nothing = not (self.equal_weights or chosen.any() or np.isfinite(weights).any() or np.isfinite(centers).any())
        return (
            None if nothing else FixedParameters(bool(self.equal_weights), weights, centers, chosen, covariance, count)
        )


def _parse_numbers(name: str, values: object, shape: tuple[int, ...]) -> Any:
    """Finite numbers or NaN, of a shape."""
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConstraintError.not_numeric(name, error) from error
    if found.shape != shape:
        raise ConstraintError.wrong_shape(name, found.shape, shape)
    if np.isinf(found).any():
        raise ConstraintError.infinite_values(name)
    return found


def _parse_weights(values: ArrayLike | None, n_components: int, has_noise: bool) -> K:
    if values is None:
        return np.full(n_components, np.nan)
    weights = _parse_numbers("weights", values, (n_components,))
    held = ~np.isnan(weights)
    if not ((weights[held] > 0) & (weights[held] <= 1)).all():
        raise ConstraintError.weights_out_of_range(weights.tolist())
    total = float(weights[held].sum())
    if held.all() and not has_noise:
        if abs(total - 1.0) > _WEIGHT_SUM_TOLERANCE:
            raise ConstraintError.weights_not_normalized(total)
        return np.asarray(weights / total)
    if total >= 1.0:
        raise ConstraintError.no_weight_left(total)
    return np.asarray(weights)


def _count_fixed_weights(equal_weights: bool, weights: K, has_noise: bool) -> int:
    """How many of the free weights are held: K - 1, or with noise K, are free."""
    if equal_weights:
        return len(weights) - 1
    return min(int(np.isfinite(weights).sum()), len(weights) - 1 + int(has_noise))


def _parse_means(values: ArrayLike | None, n_components: int, frame: Frame) -> KD:
    shape = (n_components, len(frame.center))
    if values is None:
        return np.full(shape, np.nan)
    means = _parse_numbers("means", values, shape)
    free = np.isnan(means)
    partly = free.any(axis=1) & ~free.all(axis=1)
    if partly.any():
        raise ConstraintError.partly_nan("mean", int(np.argmax(partly)))
    return frame.transform_rows(means)


def _parse_covariances(
    values: Any, structure: Structure, n_components: int, frame: Frame
) -> tuple[BoolK, AbstractCovariance | None]:
    """Which covariances are held, and those, in the frame."""
    n_features = len(frame.center)
    none = np.zeros(n_components, dtype=bool)
    if values is None:
        return none, None
    matrices = _parse_shared_covariance(values, structure, n_components, n_features)
    if matrices is None:
        matrices = _parse_component_covariances(values, n_components, n_features)
    chosen = ~np.isnan(matrices[:, 0, 0])
    if not chosen.any():
        return chosen, None
    if not chosen.all() and not structure.has_independent_components:
        raise ConstraintError.shared_covariances(
            str(structure), int(chosen.sum()), n_components, INDEPENDENT_STRUCTURE_NAMES
        )
    inner = frame.transform_covariances(matrices[chosen])
    for k, matrix in zip(np.flatnonzero(chosen).tolist(), inner, strict=True):
        if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-8 * np.abs(matrix).max()):
            raise ConstraintError.asymmetric_covariance(k)
        if linalg.cholesky(matrix) is None:
            raise ConstraintError.indefinite_covariance(k)
    return chosen, covariance_from_matrices(structure, inner, len(inner), n_features)


def _parse_shared_covariance(values: Any, structure: Structure, n_components: int, n_features: int) -> KDD | None:
    """Covariances in the one natural shape that has not an entry per component: (D, D) for EEE."""
    shape = sklearn_shape(structure, n_components, n_features)
    if not structure.is_tied or np.shape(values) != shape:
        return None
    return expand_covariances(structure, _parse_numbers("covariances", values, shape), n_components, n_features)


def _parse_component_covariances(values: Any, n_components: int, n_features: int) -> KDD:
    """Matrices (K, D, D) from one entry per component; of NaN where it is free."""
    if not isinstance(values, (Sequence, np.ndarray)) or isinstance(values, str) or len(values) != n_components:
        raise ConstraintError.covariances_not_per_component(n_components)
    return np.array([_parse_one_covariance(value, k, n_features) for k, value in enumerate(values)])


def _parse_one_covariance(value: Any, component: int, n_features: int) -> DD:
    if value is None:
        return np.full((n_features, n_features), np.nan)
    dimensions = min(np.ndim(value), 2)
    found = _parse_numbers(f"covariances[{component}]", value, (n_features,) * dimensions)
    free = np.isnan(found)
    if free.all():
        return np.full((n_features, n_features), np.nan)
    if free.any():
        raise ConstraintError.partly_nan("covariance", component)
    return np.asarray(found if dimensions == 2 else found * np.eye(n_features))
