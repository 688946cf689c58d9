"""Starting parameters handed to the constructor: checked, and carried into the frame of a fit."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.frame import Frame
from gaussmix.covariance import (
    AbstractCovariance,
    Structure,
    covariance_from_precisions,
    expand_covariances,
    sklearn_shape,
)
from gaussmix.errors import DataError, ParameterError
from gaussmix.model import Mixture, Problem
from gaussmix.solvers.initialization import initialize, replace_parameters
from gaussmix.solvers.initialization.init_methods import initialize_from_centers
from gaussmix.types import KD, KDD, Array, ArrayLike, K


@dataclass(frozen=True)
class InitParameters:
    """Weights, means and precisions of a start, in the data's units; None where not given."""

    weights: K | None
    means: KD | None
    precisions: KDD | None

    @classmethod
    def parse(
        cls,
        structure: Structure,
        covariance_type: str,
        shape: tuple[int, int],
        weights: ArrayLike | None,
        means: ArrayLike | None,
        precisions: ArrayLike | None,
    ) -> "InitParameters":
        """Check what the constructor was given; ``shape`` is (K, D), ``covariance_type`` is named in errors."""
        return cls(
            None if weights is None else _validate_weights(weights, shape[0]),
            None if means is None else _validate_means(means, shape),
            None if precisions is None else _validate_precisions(precisions, structure, covariance_type, shape),
        )

    @property
    def is_complete(self) -> bool:
        return self.weights is not None and self.means is not None and self.precisions is not None

    @property
    def is_empty(self) -> bool:
        return self.weights is None and self.means is None and self.precisions is None

    def make_start(self, problem: Problem, init_method: str, n_components: int, rng: np.random.Generator) -> Mixture:
        """The start of one run: what is given, and the rest by ``init_method`` or from the nearest given mean."""
        if self.is_complete:
            return self.override_start(problem, None)
        if self.means is not None:
            return self.override_start(
                problem, initialize_from_centers(problem, problem.source.frame.transform_rows(self.means))
            )
        return self.override_start(problem, initialize(problem, init_method, n_components, rng))

    def override_start(self, problem: Problem, start: Mixture | None) -> Mixture:
        """A start with what is given in the place of its own; without one, what is given is all there is."""
        if start is not None and self.is_empty:
            return start
        frame, structure = problem.source.frame, problem.covariance_estimator.structure
        centers = None if self.means is None else frame.transform_rows(self.means)
        covariance = None
        if self.precisions is not None:
            covariance = _covariance_from_precisions(structure, self.precisions, frame)
        if self.weights is not None and centers is not None and covariance is not None:
            return Mixture(self.weights, centers, covariance, frame, problem.feature_names)
        if start is None:
            raise ValueError("a start that is given in part needs another one for the rest")
        return replace_parameters(start, self.weights, centers, covariance)


def _require_finite_array(name: str, values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DataError.not_finite_parameter(name)
    return array


def _validate_weights(values: ArrayLike, n_components: int) -> K:
    weights = _require_finite_array("weights_init", values)
    if weights.shape != (n_components,):
        raise ParameterError.wrong_shape("weights", weights.shape, (n_components,))
    low, high, total = float(weights.min()), float(weights.max()), float(weights.sum())
    if low < 0.0 or high > 1.0:
        raise ParameterError(
            f"The parameter 'weights' should be in the range [0, 1], but got max value {high:.5f}, min value {low:.5f}"
        )
    if abs(total - 1.0) > 1e-6:
        raise ParameterError(f"The parameter 'weights' should be normalized, but got sum(weights) = {total:.5f}")
    return weights


def _validate_means(values: ArrayLike, shape: tuple[int, int]) -> KD:
    means = _require_finite_array("means_init", values)
    if means.shape != shape:
        raise ParameterError.wrong_shape("means", means.shape, shape)
    return means


def _validate_precisions(values: ArrayLike, structure: Structure, covariance_type: str, shape: tuple[int, int]) -> KDD:
    """Precision matrices (K, D, D) from the natural shape of the structure."""
    if structure.has_factors:
        raise ParameterError.not_supported_with_factors("precisions_init", str(structure))
    given = _require_finite_array("precisions_init", values)
    expected = sklearn_shape(structure, *shape)
    if given.shape != expected:
        raise ParameterError.wrong_shape(f"{covariance_type} precision", given.shape, expected)
    if structure.is_axis_aligned:
        if not (given > 0).all():
            raise ParameterError(f"'{covariance_type} precision' should be positive")
    else:
        for matrix in given.reshape(-1, shape[1], shape[1]):
            symmetric = np.allclose(matrix, matrix.T)
            if not symmetric or linalg.cholesky(matrix) is None:
                raise ParameterError(f"'{covariance_type} precision' should be symmetric, positive-definite")
    return expand_covariances(structure, given, *shape)


def _covariance_from_precisions(structure: Structure, precisions: KDD, frame: Frame) -> AbstractCovariance:
    """The covariances of given precisions in the frame, brought into the structure where they miss it."""
    powers = frame.total_exponent
    in_frame = np.ldexp(precisions, -(powers[:, None] + powers))
    return covariance_from_precisions(structure, in_frame)
