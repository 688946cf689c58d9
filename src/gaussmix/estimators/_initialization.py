"""Starting mixtures of the runs of a fit: starting parameters, noise, constraints and known components."""

from dataclasses import dataclass, replace

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
from gaussmix.errors import ConstraintError, DataError, LabelError, ParameterError
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.fixed_parameters import FixedParameters, apply_fixed_parameters, find_component_order_for_fixed
from gaussmix.model.noise import Box
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.solvers import EM, RunResult
from gaussmix.solvers.initialization import initialize, replace_parameters, sort_components
from gaussmix.solvers.initialization.kmeans import initialize_from_centers
from gaussmix.solvers.initialization.noise_initialization import add_estimated_noise, add_noise, initialize_with_noise
from gaussmix.solvers.initialization.semi_supervised import align_components, initialize_semi_supervised
from gaussmix.types import KD, KDD, Array, ArrayLike, IntN, K

# Weight of the noise at a warm start from a mixture without noise.
_INITIAL_NOISE_WEIGHT = 0.05


@dataclass(frozen=True)
class InitParameters:
    """The starting weights, means and precisions of a constructor in the data's units; None if not set."""

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
        """Check the constructor's ``weights_init``, ``means_init`` and ``precisions_init``.

        ``shape`` is (K, D). Error messages call the structure ``covariance_type``.
        """
        return cls(
            None if weights is None else _validate_weights(weights, shape[0]),
            None if means is None else _validate_means(means, shape),
            None if precisions is None else _validate_precisions(precisions, structure, covariance_type, shape),
        )

    @property
    def is_complete(self) -> bool:
        """Whether weights, means and precisions are all set."""
        return self.weights is not None and self.means is not None and self.precisions is not None

    @property
    def is_empty(self) -> bool:
        """Whether none of the three is set."""
        return self.weights is None and self.means is None and self.precisions is None

    def make_start(self, problem: Problem, init_method: str, n_components: int, rng: np.random.Generator) -> Mixture:
        """Return the starting mixture of one run.

        Parameters that are not set come from the rows nearest to each starting mean, or else from ``init_method``.
        """
        if self.is_complete:
            return self.override_start(problem, None)
        if self.means is not None:
            centers = problem.source.frame.transform_rows(self.means)
            return self.override_start(problem, initialize_from_centers(problem, centers))
        return self.override_start(problem, initialize(problem, init_method, n_components, rng))

    def override_start(self, problem: Problem, start: Mixture | None) -> Mixture:
        """Return ``start`` with the parameters that are set; it may be None only if all three are."""
        if start is not None and self.is_empty:
            return start
        frame, structure = problem.source.frame, problem.covariance_estimator.structure
        centers = None if self.means is None else frame.transform_rows(self.means)
        covariance = None
        if self.precisions is not None:
            covariance = _covariance_from_precisions(structure, self.precisions, frame)
        if self.weights is not None and centers is not None and covariance is not None:
            return Mixture(self.weights, centers, covariance, frame, problem.feature_names)
        assert start is not None
        return replace_parameters(start, self.weights, centers, covariance)


@dataclass(frozen=True)
class Initialization:
    """What determines the starting mixtures of a fit, in the frame of its problem.

    ``noise_box`` is None without a noise component, and ``fixed`` None without constraints.
    ``known_components`` (n,) holds the known component of each row, -1 if unknown.
    """

    parameters: InitParameters
    init_method: str
    n_components: int
    noise_box: Box | None = None
    fixed: FixedParameters | None = None
    known_components: IntN | None = None

    @classmethod
    def from_problem(
        cls,
        problem: Problem,
        parameters: InitParameters,
        init_method: str,
        n_components: int,
        noise: object,
        constraints: object,
        known_components: IntN | None = None,
    ) -> "Initialization":
        """Transform noise and constraints to the problem's frame, and check that they are compatible."""
        box = make_noise_box(problem, noise)
        fixed = None
        if isinstance(constraints, Constraints):
            fixed = constraints.to_fixed_parameters(
                problem.covariance_estimator.structure, n_components, problem.source.frame, box is not None
            )
        if fixed is not None and problem.covariance_estimator.prior is not None and np.isfinite(fixed.centers).any():
            raise ConstraintError.means_with_prior()
        if known_components is not None and parameters.weights is not None:
            has_labelled_rows = np.isin(np.arange(n_components), known_components)
            components = np.flatnonzero((parameters.weights == 0) & has_labelled_rows)
            if len(components):
                raise LabelError.zero_weight_component(int(components[0]))
        return cls(parameters, init_method, n_components, box, fixed, known_components)

    @property
    def labelled_components(self) -> IntN:
        """The sorted components that at least one row is known to belong to."""
        if self.known_components is None:
            return np.empty(0, dtype=np.int64)
        return np.unique(self.known_components[self.known_components >= 0])

    def make_em(self, problem: Problem) -> EM:
        """Return EM with the constraints of the fit."""
        return EM(problem.covariance_estimator, self.fixed)

    def make_start(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """Return the starting mixture of one run."""
        start = self._make_start_without_labels(problem, rng)
        if self.known_components is None or self.parameters.means is not None:
            return start
        return initialize_semi_supervised(
            problem,
            start,
            self.known_components,
            self.make_em(problem),
            lambda mixture: self._apply_fixed(self.parameters.override_start(problem, mixture)),
        )

    def make_warm_start(self, last_mixture: Mixture, problem: Problem) -> Mixture:
        """Return the starting mixture of a warm start, with ``last_mixture`` in the frame of the new problem."""
        total = last_mixture.weights.sum()  # 0 if all rows were noise
        weights = last_mixture.weights / total if total > 0 else np.full(self.n_components, 1.0 / self.n_components)
        start = replace(last_mixture, weights=weights, noise=None, n_fixed_parameters=0)
        if self.known_components is not None:
            # The last fit may have had the same labels, other labels or none.
            candidates = start, align_components(problem, start, self.known_components)
            start = max(candidates, key=lambda mixture: problem.e_step(mixture).log_likelihood)
        if self.noise_box is not None:
            weight = _INITIAL_NOISE_WEIGHT if last_mixture.noise is None else last_mixture.noise.weight
            start = add_noise(start, self.noise_box, weight)
        return self._match_and_apply_fixed(start)

    def sort_components(self, best: RunResult[Mixture], problem: Problem) -> Mixture:
        """Return the mixture of the best run with its components sorted by their means.

        Components with labelled rows or fixed parameters keep their numbers. Without a split-and-merge move,
        all components do if one is fixed, or if the user set starting parameters.
        """
        keeps_number = (
            np.zeros(self.n_components, dtype=bool) if self.fixed is None else self.fixed.is_component_constrained
        )
        if (keeps_number.any() or not self.parameters.is_empty) and not best.n_split_merge:
            keeps_number = np.ones_like(keeps_number)
        kept = np.union1d(np.flatnonzero(keeps_number), self.labelled_components)
        return sort_components(best.model, problem, kept.tolist())

    def _make_start_without_labels(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """Return a starting mixture that ignores the known components of rows."""
        if self.noise_box is not None and self.parameters.is_empty:
            em, apply = self.make_em(problem), self._match_and_apply_fixed
            return initialize_with_noise(problem, self.init_method, self.n_components, self.noise_box, em, rng, apply)
        start = self.parameters.make_start(problem, self.init_method, self.n_components, rng)
        if self.noise_box is not None:
            start = add_estimated_noise(problem, start, self.noise_box, rng)
        return self._match_and_apply_fixed(start)

    def _match_and_apply_fixed(self, start: Mixture) -> Mixture:
        """Renumber the components to the nearest fixed parameters, and set these."""
        if self.fixed is not None and self.parameters.is_empty and self.fixed.has_constrained_components:
            start = start.permute_components(find_component_order_for_fixed(start, self.fixed))
        return self._apply_fixed(start)

    def _apply_fixed(self, start: Mixture) -> Mixture:
        return start if self.fixed is None else apply_fixed_parameters(start, self.fixed)


def _require_finite_array(name: str, values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DataError.not_finite_parameter(name)
    return array


def _validate_weights(values: ArrayLike, n_components: int) -> K:
    weights = _require_finite_array("weights_init", values)
    if weights.shape != (n_components,):
        raise ParameterError.wrong_shape("weights", weights.shape, (n_components,))
    if weights.min() < 0.0 or weights.max() > 1.0:
        raise ParameterError.init_weights_out_of_range(float(weights.min()), float(weights.max()))
    total = float(weights.sum())
    if abs(total - 1.0) > 1e-6:
        raise ParameterError.init_weights_not_normalized(total)
    return weights


def _validate_means(values: ArrayLike, shape: tuple[int, int]) -> KD:
    means = _require_finite_array("means_init", values)
    if means.shape != shape:
        raise ParameterError.wrong_shape("means", means.shape, shape)
    return means


def _validate_precisions(values: ArrayLike, structure: Structure, covariance_type: str, shape: tuple[int, int]) -> KDD:
    """Return precision matrices (K, D, D) for ``precisions_init`` in scikit-learn's shape."""
    if structure.has_factors:
        raise ParameterError.not_supported_with_factors("precisions_init", str(structure))
    precisions, name = _require_finite_array("precisions_init", values), f"{covariance_type} precision"
    expected = sklearn_shape(structure, *shape)
    if precisions.shape != expected:
        raise ParameterError.wrong_shape(name, precisions.shape, expected)
    if structure.is_axis_aligned:
        if not (precisions > 0).all():
            raise ParameterError.unmet_requirement(name, "positive")
    else:
        for matrix in precisions.reshape(-1, shape[1], shape[1]):
            if not np.allclose(matrix, matrix.T) or linalg.cholesky(matrix) is None:
                raise ParameterError.unmet_requirement(name, "symmetric, positive-definite")
    return expand_covariances(structure, precisions, *shape)


def _covariance_from_precisions(structure: Structure, precisions: KDD, frame: Frame) -> AbstractCovariance:
    """Return the covariances of precision matrices (K, D, D) in the frame, projected to the structure."""
    powers = frame.total_exponent
    return covariance_from_precisions(structure, np.ldexp(precisions, -(powers[:, None] + powers)))
