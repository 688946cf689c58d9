"""``Fit``: the record of a finished fit, in numbers and in sentences."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.errors.text import format_count
from gaussmix.model.degeneracy import degenerate_component_mask, has_too_few_rows
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.loop import RunResult
from gaussmix.transforms import ColumnTransforms
from gaussmix.types import BoolK, K

_MIN_MEAN_ROW_WEIGHT = 0.5  # smaller mean weights are likely not meant as counts of rows
_MAX_EMPTY_MASS = 1e-8  # a component of smaller mass has no rows
_SMALL_NOISE_LOG_VOLUME_RATIO = np.log(1e3)  # the data's box is that many times larger than a suspicious noise volume


@dataclass(frozen=True)
class ComponentDiagnostics:
    """One component of a finished fit.

    Attributes
    ----------
    weight : float
        Mixing weight.
    mass : float
        Responsibility, summed over the weighted rows.
    condition_number : float
        Largest over smallest eigenvalue of the covariance, in the working coordinates.
    is_floored : bool
        Whether the covariance is at the variance floor.
    has_too_few_rows : bool
        Whether the mass is below the rows that a covariance needs.
    """

    weight: float
    mass: float
    condition_number: float
    is_floored: bool
    has_too_few_rows: bool


@dataclass(frozen=True)
class Fit:
    """The record of a fit; ``print(estimator.fit_)`` reads as a paragraph.

    Attributes
    ----------
    outcome : Outcome
        Why the run ended.
    trace : IterationTrace
        Log-likelihood and seconds of each iteration. Its last value was taken before the last update.
    log_likelihood : float
        Of the returned parameters and all rows together, in nats and data units.
    mean_log_likelihood : float
        The same per unit of row weight.
    entropy : float
        Entropy of the responsibilities, summed over the weighted rows, in nats.
    seconds : float
        Duration of the fit.
    mixture : Mixture
        The returned parameters.
    masses : ndarray of shape (K,)
        Responsibilities of each component, summed over the weighted rows.
    fraction_computed : float
        Fraction of all pairs of row and component whose distance the last E-step computed; the engine skips pairs
        that cannot change the result.
    min_component_rows : int
        Rows that a component needs for a covariance: columns + 1, or factors + 1 with factors, or 1 with a prior.
    notes : tuple of str
        Sentences on what is remarkable.
    """

    outcome: Outcome
    trace: IterationTrace
    log_likelihood: float
    mean_log_likelihood: float
    entropy: float
    seconds: float
    mixture: Mixture = field(repr=False)
    masses: K = field(repr=False)
    fraction_computed: float
    min_component_rows: int
    notes: tuple[str, ...]

    @cached_property
    def component_diagnostics(self) -> tuple[ComponentDiagnostics, ...]:
        """The diagnostics of each component; computed on first use, since condition numbers take time."""
        mixture = self.mixture
        conditions = mixture.covariance.precision_root.covariance_condition_numbers(mixture.n_components)
        columns = (mixture.weights, self.masses, conditions, mixture.covariance.is_floored, self.has_too_few_rows)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return tuple(ComponentDiagnostics(*row) for row in rows)

    @property
    def has_converged(self) -> bool:
        """Whether the run met its stopping rule."""
        return self.outcome is Outcome.CONVERGED

    @property
    def has_too_few_rows(self) -> BoolK:
        """Which components (K,) have fewer rows than a covariance needs."""
        return has_too_few_rows(self.masses, self.min_component_rows)

    @property
    def has_floored_component(self) -> bool:
        """Whether the covariance of a component is at the variance floor."""
        return bool(self.mixture.covariance.is_floored.any())

    @property
    def is_degenerate(self) -> bool:
        """Whether a component is at the variance floor, is empty, or has too few rows for a covariance."""
        return bool(degenerate_component_mask(self.mixture, self.masses, self.min_component_rows).any())

    def with_transforms(
        self, transforms: ColumnTransforms | None, total_log_jacobian: float, total_weight: float
    ) -> "Fit":
        """Return the record of a fit to transformed rows, with log-likelihoods in the data's units."""
        if transforms is None:
            return self
        return replace(
            self,
            trace=replace(self.trace, log_likelihoods=self.trace.log_likelihoods + total_log_jacobian),
            log_likelihood=self.log_likelihood + total_log_jacobian,
            mean_log_likelihood=self.mean_log_likelihood + total_log_jacobian / total_weight,
            mixture=replace(self.mixture, transforms=transforms),
        )

    def __str__(self) -> str:
        iterations = format_count(len(self.trace), "iteration")
        summary = f"{iterations} in {self.seconds:.2g} s, log-likelihood {self.log_likelihood:.10g}."
        return " ".join([str(self.outcome), summary, *self.notes])


def make_fit_after_e_step(result: RunResult[Mixture], problem: Problem, seconds: float) -> tuple[Fit, Expectation]:
    """Make one more E-step; return the record of a run, and the expectation of its mixture by that E-step."""
    mixture = result.model
    expectation = problem.e_step(mixture)
    log_likelihood = expectation.log_likelihood + problem.total_weight * problem.source.frame.log_abs_det_jacobian
    masses = expectation.moments.mass[: mixture.n_components]
    fit = Fit(
        outcome=result.outcome,
        trace=result.trace,
        log_likelihood=log_likelihood,
        mean_log_likelihood=log_likelihood / problem.total_weight,
        entropy=expectation.entropy,
        seconds=seconds,
        mixture=mixture,
        masses=masses,
        fraction_computed=expectation.fraction_of_distances_computed,
        min_component_rows=problem.min_component_rows,
        notes=tuple(collect_notes(problem, masses, result)),
    )
    return fit, expectation


def collect_notes(problem: Problem, masses: K, result: RunResult[Mixture]) -> list[str]:
    """Return sentences on what a user should know of a run: split-and-merge moves, noise, floor, empty components."""
    notes = []
    if result.n_split_merge:
        moves = format_count(result.n_split_merge, "split-and-merge move")
        notes.append(f"{moves} raised the likelihood before this run.")
    notes.extend(_compose_noise_notes(problem, result.model.noise))
    if problem.constant_columns:
        names = ", ".join(_format_column(problem, j) for j in problem.constant_columns)
        notes.append(f"Column {names} is constant: it separates no groups, and its variance is set to a substitute.")
    floored = np.flatnonzero(result.model.covariance.is_floored).tolist()
    if floored:
        notes.append(
            f"{_format_components(floored, 'is', 'are')} at the variance floor ({RELATIVE_FLOOR:g} of the overall "
            "variance). Rows there are duplicated or collinear, so the likelihood is uninformative. Try fewer "
            "components."
        )
    elif result.n_floored_iter:
        count = format_count(result.n_floored_iter, "iteration")
        notes.append(f"The variance floor was active in {count}, not in the final fit.")
    notes.extend(_compose_mass_notes(problem, masses))
    if problem.covariance_estimator.prior is not None:
        notes.append("The parameters maximise the posterior under a prior; the log-likelihood omits its density.")
    return notes


def _compose_mass_notes(problem: Problem, masses: K) -> list[str]:
    """Return sentences on components that are empty or have too few rows."""
    notes = []
    empty = np.flatnonzero(masses < _MAX_EMPTY_MASS).tolist()
    if empty:
        notes.append(f"{_format_components(empty, 'is', 'are')} empty: no row belongs there.")
    is_small = has_too_few_rows(masses, problem.min_component_rows) & (masses >= _MAX_EMPTY_MASS)
    small = np.flatnonzero(is_small).tolist()
    if small:
        needed = format_count(problem.min_component_rows, "row")
        notes.append(f"{_format_components(small, 'has', 'have')} fewer than the {needed} that a covariance needs.")
        if problem.total_weight < _MIN_MEAN_ROW_WEIGHT * problem.n_rows:
            total = f"{problem.total_weight:.3g}"
            notes.append(f"The row weights sum to {total} and count as so many rows; a weight is a number of copies.")
    return notes


def _compose_noise_notes(problem: Problem, noise: Noise | None) -> list[str]:
    """Return sentences on the weight of the noise, and on a volume too small for its rows."""
    if noise is None:
        return []
    notes = [f"Noise takes {100 * noise.weight:.1f} % of the weight."]
    log_data_volume = float(np.log(problem.column_range.maximum - problem.column_range.minimum).sum())
    if noise.box.log_volume <= log_data_volume - _SMALL_NOISE_LOG_VOLUME_RATIO:
        ratio = np.exp(noise.box.log_volume - log_data_volume)
        notes.append(
            f"Its volume is {ratio:.1g} of the data's box, so noise takes rows that lie close together; noise=True "
            "uses the whole box."
        )
    return notes


def _format_column(problem: Problem, column: int) -> str:
    """Return the quoted name of a column, or its number if columns have no names."""
    return str(column) if problem.feature_names is None else repr(problem.feature_names[column])


def _format_components(components: list[int], singular_verb: str, plural_verb: str) -> str:
    """Return subject and verb of a sentence: 'Component 2 is', or 'Components 0 and 2 are'."""
    if len(components) == 1:
        return f"Component {components[0]} {singular_verb}"
    *others, last = (str(k) for k in components)
    return f"Components {', '.join(others)} and {last} {plural_verb}"
