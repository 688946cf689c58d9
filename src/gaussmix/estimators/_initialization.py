"""Where the runs of a fit begin: what is given, how much is noise, what is held, and which rows are known."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.errors import ConstraintError, LabelError
from gaussmix.estimators._given import InitParameters
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.fixed_parameters import FixedParameters, apply_fixed, match_components_to_fixed
from gaussmix.model.noise import Box
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.solvers import EM, RunResult
from gaussmix.solvers.initialization import sort_components
from gaussmix.solvers.initialization.noise_initialization import add_estimated_noise, add_noise, initialize_with_noise
from gaussmix.solvers.initialization.semi_supervised import align_components, initialize_semi_supervised
from gaussmix.types import IntN


@dataclass(frozen=True)
class Initialization:
    """The given parameters, the start's name, the box of the noise, what is held, and known components of rows (n,).

    None where there is none; the source of the problem has the known components for hints.
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
        """Noise and constraints, checked before, in the frame of a problem."""
        box = make_noise_box(problem, noise)
        held = None
        if isinstance(constraints, Constraints):
            held = constraints.to_fixed_parameters(
                problem.covariance_estimator.structure, n_components, problem.source.frame, box is not None
            )
        if held is not None and problem.covariance_estimator.prior is not None and np.isfinite(held.centers).any():
            raise ConstraintError.means_with_prior()
        if known_components is not None and parameters.weights is not None:
            lost = np.flatnonzero((parameters.weights == 0) & np.isin(np.arange(n_components), known_components))
            if len(lost):
                raise LabelError.zero_weight_component(int(lost[0]))
        return cls(parameters, init_method, n_components, box, held, known_components)

    @property
    def labelled_components(self) -> IntN:
        """The components of which rows are known."""
        return (
            np.empty(0, dtype=np.int64)
            if self.known_components is None
            else np.unique(self.known_components[self.known_components >= 0])
        )

    def sort_components(self, best: RunResult, problem: Problem) -> Mixture:
        """The mixture with its components in the order of their means, but for those that somebody gave numbers.

        Those of a given start lose them to a move of split and merge, which makes other components of them.
        """
        held = np.zeros(self.n_components, dtype=bool) if self.fixed is None else self.fixed.is_constrained
        if held.any() or not self.parameters.is_empty:
            held = held if best.n_split_merge else np.ones_like(held)
        kept = np.union1d(np.flatnonzero(held), self.labelled_components)
        return sort_components(best.mixture, problem, kept.tolist())

    def make_em(self, problem: Problem) -> EM:
        return EM(problem.covariance_estimator, self.fixed)

    def make_start(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """The start of one run."""
        if self.known_components is None or self.parameters.means is not None:
            return self._make_start_without_labels(problem, rng)
        start = self._make_start_without_labels(problem, rng)
        return initialize_semi_supervised(
            problem,
            start,
            self.known_components,
            self.make_em(problem),
            lambda each: self._apply_fixed(self.parameters.override_start(problem, each)),
        )

    def _make_start_without_labels(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """A start that knows of no row."""
        if self.noise_box is None or not self.parameters.is_empty:
            start = self.parameters.make_start(problem, self.init_method, self.n_components, rng)
            return self._match_and_apply_fixed(
                start if self.noise_box is None else add_estimated_noise(problem, start, self.noise_box, rng)
            )
        solver = self.make_em(problem)
        return initialize_with_noise(
            problem, self.init_method, self.n_components, self.noise_box, solver, rng, self._match_and_apply_fixed
        )

    def make_warm_start(self, last_mixture: Mixture, problem: Problem) -> Mixture:
        """The start of a run that goes on from the last model."""
        total = last_mixture.weights.sum()  # none where noise has taken all rows
        weights = last_mixture.weights / total if total > 0 else np.full(self.n_components, 1.0 / self.n_components)
        bare = replace(last_mixture, weights=weights, noise=None, n_fixed_parameters=0)
        if self.known_components is not None:  # which may have been known to the last fit, too, or not
            both = bare, align_components(problem, bare, self.known_components)
            bare = max(both, key=lambda each: problem.e_step(each).log_likelihood)
        if self.noise_box is not None:
            share = 0.05 if last_mixture.noise is None else last_mixture.noise.weight
            bare = add_noise(bare, self.noise_box, share)
        return self._match_and_apply_fixed(bare)

    def _match_and_apply_fixed(self, start: Mixture) -> Mixture:
        if self.fixed is not None and self.parameters.is_empty and self.fixed.has_constrained_components:
            start = start.permute_components(match_components_to_fixed(start, self.fixed))
        return self._apply_fixed(start)

    def _apply_fixed(self, start: Mixture) -> Mixture:
        return start if self.fixed is None else apply_fixed(start, self.fixed)
