"""``Constraints``: the parameters that a user fixes, validated and converted to the frame of a fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.frame import Frame
from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.core.scalar_checks import is_bool
from gaussmix.core.symmetric_matrices import is_symmetric
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
from gaussmix.types import DD, KD, KDD, Array, ArrayLike, BoolK, K

_WEIGHT_SUM_TOLERANCE = 1e-6  # allowed deviation from 1 if all weights are fixed


@dataclass(frozen=True, eq=False)
class Constraints:
    """Parameters that a fit keeps fixed, for ``GaussianMixture(constraints=...)``.

    If a parameter of a single component is fixed, components keep the order given here; otherwise they
    are sorted by their means. The initial mixture has the fixed parameters too. Fixed parameters do not
    count as free parameters.

    Parameters
    ----------
    equal_weights : bool, default=False
        Give all components the same weight. The noise component has a weight of its own.
    weights : array-like of shape (K,), optional
        Weights above 0 and at most 1, NaN where free. Free weights and the weight of the noise component
        add up to the rest.
    means : array-like of shape (K, D), optional
        Means in the data's units, rows of NaN where free.
    covariances : array-like or list, optional
        One covariance per component in squared units of the data, NaN or None where free: a matrix
        (D, D), variances (D,), or one variance. VVV, VVI and VII allow fixing single components. Other
        structures allow all or none, in any shape of ``covariances_``.

    Raises
    ------
    ConstraintError
        If a value is not allowed. By `GaussianMixture.fit`, if a shape does not fit, or if the structure does not
        allow fixing these covariances.

    Examples
    --------
    >>> from gaussmix import Constraints, GaussianMixture
    >>> X = [[-1.0], [-0.9], [0.1], [3.9], [4.0], [4.2]]
    >>> fixed_mean = Constraints(means=[[0.0], [float("nan")]])
    >>> GaussianMixture(2, constraints=fixed_mean).fit(X).means_.round(3).ravel().tolist()
    [0.0, 4.033]
    """

    equal_weights: bool = False
    weights: ArrayLike | None = None
    means: ArrayLike | None = None
    covariances: Any = None

    def __post_init__(self) -> None:
        if not is_bool(self.equal_weights):
            raise ConstraintError.equal_weights_not_bool(self.equal_weights)
        if self.equal_weights and self.weights is not None:
            raise ConstraintError.redundant_weights()
        for name, values in (("weights", self.weights), ("means", self.means)):
            if values is not None:
                _parse_finite_or_nan_array(name, values)

    def to_fixed_parameters(
        self, structure: Structure, n_components: int, frame: Frame, has_noise: bool = False
    ) -> FixedParameters | None:
        """Return the constraints as `FixedParameters` in a frame, after validation; None if nothing is fixed.

        Raises
        ------
        ConstraintError
            If a shape or a value is not allowed, or if the structure does not allow fixing these covariances.
        """
        n_features = len(frame.center)
        weights = _parse_fixed_weights(self.weights, n_components, has_noise)
        centers = _parse_fixed_means_in_frame(self.means, n_components, frame)
        is_fixed, covariance = _parse_fixed_covariances(self.covariances, structure, n_components, frame)
        if not (self.equal_weights or is_fixed.any() or np.isfinite(weights).any() or np.isfinite(centers).any()):
            return None
        count = _count_parameters_removed_by_weights(bool(self.equal_weights), weights, has_noise) + int(
            np.isfinite(centers).sum()
        )
        if is_fixed.all():
            count += structure.n_covariance_parameters(n_components, n_features)
        else:
            count += structure.n_covariance_parameters(1, n_features) * int(is_fixed.sum())
        return FixedParameters(bool(self.equal_weights), weights, centers, is_fixed, covariance, count)


class _FixedCovariances(NamedTuple):
    """Which components have a fixed covariance (K,), and those covariances in the frame; None if there are none."""

    is_fixed: BoolK
    covariance: AbstractCovariance | None


def _parse_finite_or_nan_array(name: str, values: object, shape: tuple[int, ...] | None = None) -> Array:
    """Return numbers or NaN as an array, of ``shape`` if it is given; raise a ConstraintError for other values."""
    try:
        array = np.array(fill_masked_with_nan(values), dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConstraintError.not_numeric(name, error) from error
    if shape is not None and array.shape != shape:
        raise ConstraintError.wrong_shape(name, array.shape, shape)
    if np.isinf(array).any():
        raise ConstraintError.infinite_values(name)
    return array


def _parse_fixed_weights(values: ArrayLike | None, n_components: int, has_noise: bool) -> K:
    """Return the fixed weights (K,), NaN where free; raise a ConstraintError if they cannot add up to 1."""
    if values is None:
        return np.full(n_components, np.nan)
    weights = _parse_finite_or_nan_array("weights", values, (n_components,))
    is_fixed = ~np.isnan(weights)
    if not ((weights[is_fixed] > 0) & (weights[is_fixed] <= 1)).all():
        raise ConstraintError.weights_out_of_range(weights.tolist())
    total = float(weights[is_fixed].sum())
    if is_fixed.all() and not has_noise:
        if abs(total - 1.0) > _WEIGHT_SUM_TOLERANCE:
            raise ConstraintError.weights_not_normalized(total)
        return np.asarray(weights / total)
    if total >= 1.0:
        raise ConstraintError.no_weight_left(total)
    return np.asarray(weights)


def _count_parameters_removed_by_weights(equal_weights: bool, weights: K, has_noise: bool) -> int:
    """Return how many free parameters the fixed weights remove, of K - 1 without noise and K with noise."""
    if equal_weights:
        return len(weights) - 1
    return min(int(np.isfinite(weights).sum()), len(weights) - 1 + int(has_noise))


def _parse_fixed_means_in_frame(values: ArrayLike | None, n_components: int, frame: Frame) -> KD:
    """Return fixed means (K, D) in the frame, rows of NaN where free; raise ConstraintError if a row is partly NaN."""
    shape = (n_components, len(frame.center))
    if values is None:
        return np.full(shape, np.nan)
    means = _parse_finite_or_nan_array("means", values, shape)
    is_free = np.isnan(means)
    is_partly_free = is_free.any(axis=1) & ~is_free.all(axis=1)
    if is_partly_free.any():
        raise ConstraintError.partly_nan("mean", int(np.argmax(is_partly_free)))
    return frame.transform_rows(means)


def _parse_fixed_covariances(values: Any, structure: Structure, n_components: int, frame: Frame) -> _FixedCovariances:
    """Return which covariances are fixed (K,), and these covariances in the frame; None if there are none."""
    n_features = len(frame.center)
    none = np.zeros(n_components, dtype=bool)
    if values is None:
        return _FixedCovariances(none, None)
    matrices = _expand_shared_covariance_if_given(values, structure, n_components, n_features)
    if matrices is None:
        matrices = _parse_covariance_per_component(values, n_components, n_features)
    is_fixed = ~np.isnan(matrices[:, 0, 0])
    if not is_fixed.any():
        return _FixedCovariances(is_fixed, None)
    if not is_fixed.all() and not structure.has_independent_components:
        raise ConstraintError.shared_covariances(
            str(structure), int(is_fixed.sum()), n_components, INDEPENDENT_STRUCTURE_NAMES
        )
    fixed_matrices = frame.transform_covariances(matrices[is_fixed])
    for component, matrix in zip(np.flatnonzero(is_fixed).tolist(), fixed_matrices, strict=True):
        if not is_symmetric(matrix):
            raise ConstraintError.asymmetric_fixed_covariance(component)
        if linalg.cholesky(matrix) is None:
            raise ConstraintError.indefinite_covariance(component)
    covariance = covariance_from_matrices(structure, fixed_matrices, len(fixed_matrices), n_features)
    return _FixedCovariances(is_fixed, covariance)


def _expand_shared_covariance_if_given(
    values: Any, structure: Structure, n_components: int, n_features: int
) -> KDD | None:
    """Return one shared matrix (D, D) K times, (K, D, D); None if the structure or the shape of values is another."""
    shape = sklearn_shape(structure, n_components, n_features)
    if not structure.is_tied or np.shape(values) != shape:
        return None
    return expand_covariances(
        structure, _parse_finite_or_nan_array("covariances", values, shape), n_components, n_features
    )


def _parse_covariance_per_component(values: Any, n_components: int, n_features: int) -> KDD:
    """Return matrices (K, D, D) from one entry per component; the matrix of a free entry is all NaN."""
    if not isinstance(values, (Sequence, np.ndarray)) or isinstance(values, str) or len(values) != n_components:
        raise ConstraintError.covariances_not_per_component(n_components)
    return np.array([_parse_fixed_or_free_covariance(value, k, n_features) for k, value in enumerate(values)])


def _parse_fixed_or_free_covariance(value: Any, component: int, n_features: int) -> DD:
    """Return a fixed covariance (D, D) from a matrix, variances (D,) or one variance; all NaN if it is free."""
    if value is None:
        return np.full((n_features, n_features), np.nan)
    n_dimensions = min(np.ndim(value), 2)
    array = _parse_finite_or_nan_array(f"covariances[{component}]", value, (n_features,) * n_dimensions)
    is_free = np.isnan(array)
    if is_free.all():
        return np.full((n_features, n_features), np.nan)
    if is_free.any():
        raise ConstraintError.partly_nan("covariance", component)
    return np.asarray(array if n_dimensions == 2 else array * np.eye(n_features))
