"""Starting mixtures of the runs of a fit: starting parameters, noise, constraints and known components."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.frame import Frame
from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.symmetric_matrices import average_with_transpose, is_symmetric
from gaussmix.covariance import (
    AbstractCovariance,
    Structure,
    covariance_from_precisions,
    expand_covariances,
    sklearn_shape,
)
from gaussmix.errors import ConstraintError, LabelError, ParameterError, StartingValueError, StructureError
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.fixed_parameters import FixedParameters, apply_fixed_parameters, find_component_order_for_fixed
from gaussmix.model.noise import Box
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.solvers import EM, RunResult
from gaussmix.solvers.fit_record import permute_run_components
from gaussmix.solvers.initialization import argsort_free_components_by_mean, initialize, replace_parameters
from gaussmix.solvers.initialization.kmeans import initialize_from_centers
from gaussmix.solvers.initialization.noise_initialization import add_estimated_noise, add_noise, initialize_with_noise
from gaussmix.solvers.initialization.semi_supervised import align_components, initialize_semi_supervised
from gaussmix.types import KD, KDD, ArrayLike, IntD, IntK, IntN, K

# Weight of the noise at a warm start from a mixture without noise.
_INITIAL_NOISE_WEIGHT = 0.05

# Smallest weight of the noise at a warm start; EM keeps a weight of zero forever.
_MIN_NOISE_WEIGHT = float(np.finfo(np.float64).eps)


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
        means_shape: tuple[int, int],
        weights: ArrayLike | None,
        means: ArrayLike | None,
        precisions: ArrayLike | None,
    ) -> "InitParameters":
        """Return the constructor's ``weights_init``, ``means_init`` and ``precisions_init`` as checked arrays.

        ``means_shape`` is (K, D). Error messages call the structure ``covariance_type``.
        """
        return cls(
            None if weights is None else _parse_weights_init(weights, means_shape[0]),
            None if means is None else _parse_means_init(means, means_shape),
            None if precisions is None else _parse_precisions_init(precisions, structure, covariance_type, means_shape),
        )

    def select_columns(self, columns: IntD) -> "InitParameters":
        """Return the parameters with the means of some columns, by position; precisions must not be set."""
        return replace(self, means=None if self.means is None else self.means[:, columns])

    @property
    def has_all(self) -> bool:
        """Whether weights, means and precisions are all set."""
        return self.weights is not None and self.means is not None and self.precisions is not None

    @property
    def has_none(self) -> bool:
        """Whether none of the three is set."""
        return self.weights is None and self.means is None and self.precisions is None

    def make_start(self, problem: Problem, init_method: str, n_components: int, rng: np.random.Generator) -> Mixture:
        """Return the starting mixture of one run, in the problem's frame, with the parameters that are set.

        Parameters that are not set come from the rows nearest to each starting mean, or else from ``init_method``.
        """
        if self.has_all:
            return self.override_start_parameters(problem, None)
        if self.means is not None:
            centers = problem.source.frame.transform_rows(self.means)
            return self.override_start_parameters(problem, initialize_from_centers(problem, centers))
        return self.override_start_parameters(problem, initialize(problem, init_method, n_components, rng))

    def override_start_parameters(self, problem: Problem, start: Mixture | None) -> Mixture:
        """Return ``start`` with its weights, means and precisions replaced by those that are set.

        ``start`` may be None only if all three are set.
        """
        if start is not None and self.has_none:
            return start
        frame, structure = problem.source.frame, problem.covariance_estimator.structure
        centers = None if self.means is None else frame.transform_rows(self.means)
        covariance = None
        if self.precisions is not None:
            covariance = _covariance_in_frame_from_precisions(structure, self.precisions, frame)
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
        noise: bool | float | None,
        constraints: Constraints | None,
        known_components: IntN | None = None,
    ) -> "Initialization":
        """Return the initialization of a fit, with noise and constraints transformed to the problem's frame.

        ConstraintError, LabelError or ParameterError is raised if they are invalid or incompatible.
        """
        box = make_noise_box(problem, noise)
        fixed = None
        if constraints is not None:
            fixed = constraints.to_fixed_parameters(
                problem.covariance_estimator.structure, n_components, problem.source.frame, box is not None
            )
        if fixed is not None and problem.covariance_estimator.prior is not None and np.isfinite(fixed.centers).any():
            raise ConstraintError.means_with_prior()
        if known_components is not None and parameters.weights is not None:
            has_labelled_rows = np.isin(np.arange(n_components), known_components)
            components = np.flatnonzero((parameters.weights == 0) & has_labelled_rows)
            if len(components):
                raise LabelError.labelled_component_starts_at_zero_weight(int(components[0]))
        return cls(parameters, init_method, n_components, box, fixed, known_components)

    @property
    def sorted_labelled_components(self) -> IntK:
        """The components that at least one row is known to belong to, in increasing order."""
        if self.known_components is None:
            return np.empty(0, dtype=np.int64)
        return np.unique(self.known_components[self.known_components >= 0])

    def make_em(self, problem: Problem) -> EM:
        """Return an EM solver whose M-step keeps the fixed parameters of the fit."""
        return EM(problem.covariance_estimator, self.fixed)

    def make_start(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """Return the starting mixture of one run, in the problem's frame, with labels and fixed parameters applied."""
        start = self._make_start_ignoring_labels(problem, rng)
        if self.known_components is None or self.parameters.means is not None:
            return start
        return initialize_semi_supervised(
            problem,
            start,
            self.known_components,
            self.make_em(problem),
            lambda mixture: self._apply_fixed_parameters(self.parameters.override_start_parameters(problem, mixture)),
        )

    def make_warm_start(self, last_mixture_in_frame: Mixture, problem: Problem) -> Mixture:
        """Return the last mixture, given in the problem's frame, with this fit's noise, labels and fixed parameters."""
        last_weights, last_noise = last_mixture_in_frame.weights, last_mixture_in_frame.noise
        total = last_weights.sum()  # 0 if all rows were noise
        weights = (
            last_mixture_in_frame.weights / total if total > 0 else np.full(self.n_components, 1.0 / self.n_components)
        )
        start = replace(last_mixture_in_frame, weights=weights, noise=None, n_fixed_parameters=0)
        if self.known_components is not None:
            # The last fit may have had the same labels, other labels or none.
            candidates = start, align_components(problem, start, self.known_components)
            start = max(candidates, key=lambda mixture: problem.e_step(mixture).log_likelihood)
        if self.noise_box is not None:
            weight = _INITIAL_NOISE_WEIGHT if last_noise is None else max(last_noise.weight, _MIN_NOISE_WEIGHT)
            start = add_noise(start, self.noise_box, weight)
        return self._renumber_and_apply_fixed_parameters(start)

    def sort_free_components_by_mean(self, best: RunResult[Mixture], problem: Problem) -> RunResult[Mixture]:
        """Return the best run with its components, unless they keep their numbers, sorted by mean.

        Components with labelled rows or fixed parameters keep their numbers. Without a split-and-merge move,
        all components do if one is fixed, or if the user set starting parameters.
        """
        kept: set[int] = set(self.sorted_labelled_components)
        if self.fixed is not None:
            kept |= set(np.flatnonzero(self.fixed.is_component_constrained).tolist())
        has_fixed_component = self.fixed is not None and self.fixed.is_component_constrained.any()
        if (has_fixed_component or not self.parameters.has_none) and not best.n_split_merge:
            return best
        return permute_run_components(best, argsort_free_components_by_mean(best.model, problem, sorted(kept)))

    def _make_start_ignoring_labels(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """Return a starting mixture with noise and fixed parameters; it ignores the known components of rows."""
        if self.noise_box is not None and self.parameters.has_none:
            em, apply = self.make_em(problem), self._renumber_and_apply_fixed_parameters
            return initialize_with_noise(problem, self.init_method, self.n_components, self.noise_box, em, rng, apply)
        start = self.parameters.make_start(problem, self.init_method, self.n_components, rng)
        if self.noise_box is not None:
            start = add_estimated_noise(problem, start, self.noise_box, rng)
        return self._renumber_and_apply_fixed_parameters(start)

    def _renumber_and_apply_fixed_parameters(self, start: Mixture) -> Mixture:
        """Return ``start`` with components renumbered to the nearest fixed parameters, and with these parameters."""
        if self.fixed is not None and self.parameters.has_none and self.fixed.has_constrained_components:
            start = start.permute_components(find_component_order_for_fixed(start, self.fixed))
        return self._apply_fixed_parameters(start)

    def _apply_fixed_parameters(self, start: Mixture) -> Mixture:
        """Return ``start`` with the fixed parameters of the fit."""
        return start if self.fixed is None else apply_fixed_parameters(start, self.fixed)


def _parse_weights_init(values: ArrayLike, n_components: int) -> K:
    """Return ``weights_init`` as an array (K,), checked to be in 0 to 1 and to sum to 1."""
    weights = parse_finite_numbers("weights_init", values)
    if weights.shape != (n_components,):
        raise ParameterError.wrong_shape("weights", weights.shape, (n_components,))
    if weights.min() < 0.0 or weights.max() > 1.0:
        raise StartingValueError.init_weights_out_of_range(float(weights.min()), float(weights.max()))
    total = float(weights.sum())
    if abs(total - 1.0) > 1e-6:
        raise StartingValueError.init_weights_not_normalized(total)
    return weights


def _parse_means_init(values: ArrayLike, means_shape: tuple[int, int]) -> KD:
    """Return ``means_init`` as an array of shape ``means_shape``, (K, D), in the data's units."""
    means = parse_finite_numbers("means_init", values)
    if means.shape != means_shape:
        raise ParameterError.wrong_shape("means", means.shape, means_shape)
    return means


def _parse_precisions_init(
    values: ArrayLike, structure: Structure, covariance_type: str, means_shape: tuple[int, int]
) -> KDD:
    """Return the precision matrices (K, D, D) of ``precisions_init``, which has scikit-learn's shape."""
    if structure.has_factors:
        raise StructureError.not_supported_with_factors("precisions_init", str(structure))
    precisions, name = parse_finite_numbers("precisions_init", values), f"{covariance_type} precision"
    expected = sklearn_shape(structure, *means_shape)
    if precisions.shape != expected:
        raise ParameterError.wrong_shape(name, precisions.shape, expected)
    if structure.is_axis_aligned:
        if not (precisions > 0).all():
            raise StartingValueError.unmet_requirement(name, "positive")
    else:
        for matrix in precisions.reshape(-1, means_shape[1], means_shape[1]):
            if not is_symmetric(matrix) or linalg.cholesky(matrix) is None:
                raise StartingValueError.unmet_requirement(name, "symmetric, positive-definite")
        precisions = average_with_transpose(precisions)
    return expand_covariances(structure, precisions, *means_shape)


def _covariance_in_frame_from_precisions(structure: Structure, precisions: KDD, frame: Frame) -> AbstractCovariance:
    """Return the covariances in the frame, of the structure, for precisions (K, D, D) in the data's units."""
    powers = frame.total_exponent
    return covariance_from_precisions(structure, np.ldexp(precisions, -(powers[:, None] + powers)))
