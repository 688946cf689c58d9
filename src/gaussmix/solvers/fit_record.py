"""``Fit``: the record of a finished fit, in numbers and in sentences."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.covariance.row_requirement import RowRequirement
from gaussmix.errors.text import format_count, join_with_and, pluralize
from gaussmix.model.degeneracy import (
    degenerate_component_mask,
    empty_component_mask,
    has_too_few_in_total,
    has_too_few_rows,
)
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.loop import RunResult
from gaussmix.transforms import TransformedRows
from gaussmix.types import BoolK, K

_MIN_MEAN_ROW_WEIGHT = 0.5  # smaller mean weights are likely not meant as counts of rows
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
        Whether the mass is below the rows that the structure needs in each component.
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
        Objective and seconds of each iteration. Its last value was taken before the last update.
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
    row_requirement : RowRequirement
        Rows that each component needs, and all components together, for regular covariances of the structure.
    notes : tuple of str
        Sentences on what is remarkable.
    log_prior : float, optional
        Log density of the prior at the returned parameters, up to a constant; None without a prior.
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
    row_requirement: RowRequirement
    notes: tuple[str, ...]
    log_prior: float | None = None

    @property
    def objective(self) -> float:
        """What the fit maximises, at the returned parameters: the log-likelihood, with a prior plus `log_prior`."""
        return self.log_likelihood + (self.log_prior or 0.0)

    @property
    def objective_name(self) -> str:
        """What the values of the trace are, in words."""
        return "log-likelihood" if self.log_prior is None else "log-likelihood plus log prior density"

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
    def min_component_rows(self) -> int:
        """Rows that each component needs: from 1 for shared covariances to columns + 1; 1 with a prior."""
        return self.row_requirement.per_component

    @property
    def has_too_few_rows(self) -> BoolK:
        """Which components (K,) have fewer rows than the structure needs in each."""
        return has_too_few_rows(self.masses, self.row_requirement)

    @property
    def has_too_few_rows_in_total(self) -> bool:
        """Whether all components together have too few rows for the structure, although each has enough."""
        return has_too_few_in_total(self.masses, self.row_requirement)

    @property
    def is_short_of_rows(self) -> bool:
        """Whether a component has fewer rows than the structure needs in each, or all together have too few."""
        return bool(self.has_too_few_rows.any()) or self.has_too_few_rows_in_total

    @property
    def has_floored_component(self) -> bool:
        """Whether the covariance of a component is at the variance floor."""
        return bool(self.mixture.covariance.is_floored.any())

    @property
    def is_degenerate(self) -> bool:
        """Whether a component is at the variance floor, is empty, or has too few rows for the structure."""
        return bool(degenerate_component_mask(self.mixture, self.masses, self.row_requirement).any())

    @property
    def degeneracy(self) -> str:
        """Why the fit is degenerate, as clauses that name the components; empty if it is not."""
        is_empty = empty_component_mask(self.mixture.weights)
        is_floored = self.mixture.covariance.is_floored & ~is_empty
        clauses = {
            "{} empty": is_empty,
            "{} at the variance floor": is_floored,
            "too few rows for the covariance of {}": self.has_too_few_rows & ~is_floored & ~is_empty,
        }
        texts = [text.format(_name_components(mask)) for text, mask in clauses.items() if mask.any()]
        return "; ".join(texts + ["too few rows in total"] * self.has_too_few_rows_in_total)

    def with_transforms(self, transformed: TransformedRows, total_weight: float) -> "Fit":
        """Return the record of a fit to transformed rows, with log-likelihoods in the data's units."""
        if transformed.transforms is None:
            return self
        total_log_jacobian = transformed.total_log_jacobian
        return replace(
            self,
            trace=replace(self.trace, log_likelihoods=self.trace.log_likelihoods + total_log_jacobian),
            log_likelihood=self.log_likelihood + total_log_jacobian,
            mean_log_likelihood=self.mean_log_likelihood + total_log_jacobian / total_weight,
            mixture=replace(self.mixture, transforms=transformed.transforms),
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
    estimator = problem.covariance_estimator
    log_prior = None if estimator.prior is None else estimator.log_prior(mixture.centers, mixture.covariance)
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
        row_requirement=problem.row_requirement(mixture.n_components),
        notes=tuple(collect_notes(problem, masses, result)),
        log_prior=log_prior,
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
    if problem.far_row_columns:
        names = ", ".join(_format_column(problem, j) for j in problem.far_row_columns)
        notes.append(
            f"A few far rows have more than 99 % of the variance of column {names}: sentinels or slips? Starts and the "
            "variance floor are relative to the other rows."
        )
    notes.extend(_compose_floor_notes(result, problem, masses))
    notes.extend(_compose_mass_notes(problem, masses))
    if problem.covariance_estimator.prior is not None:
        notes.append("The parameters maximise the posterior under a prior; the log-likelihood omits its density.")
    return notes


def _compose_floor_notes(result: RunResult[Mixture], problem: Problem, masses: K) -> list[str]:
    """Return a sentence on components at the variance floor, now or before, although they have enough rows."""
    requirement, is_floored = problem.row_requirement(len(masses)), result.model.covariance.is_floored
    has_few = has_too_few_rows(masses, requirement) | has_too_few_in_total(masses, requirement)
    floored = np.flatnonzero(is_floored & ~has_few).tolist()
    if floored:
        return [
            f"{_format_components(floored, 'is', 'are')} at the variance floor ({RELATIVE_FLOOR:g} of the overall "
            "variance). Its rows are duplicated or collinear, or much closer to each other than to the rest, so the "
            "likelihood is uninformative. Try fewer components."
        ]
    if result.n_floored_iter and not is_floored.any():
        count = format_count(result.n_floored_iter, "iteration")
        return [f"The variance floor was active in {count}, not in the final fit."]
    return []


def _compose_mass_notes(problem: Problem, masses: K) -> list[str]:
    """Return sentences on components that are empty or have too few rows."""
    notes, requirement = [], problem.row_requirement(len(masses))
    structure = problem.covariance_estimator.structure
    is_empty = empty_component_mask(masses / problem.total_weight)
    empty = np.flatnonzero(is_empty).tolist()
    if empty:
        notes.append(f"{_format_components(empty, 'is', 'are')} empty: no row belongs there.")
    small = np.flatnonzero(has_too_few_rows(masses, requirement) & ~is_empty).tolist()
    if small:
        needed = f"{format_count(requirement.per_component, 'row')} that {structure} needs in each component"
        notes.append(f"{_format_components(small, 'has', 'have')} fewer than the {needed}.")
    has_few_in_total = has_too_few_in_total(masses, requirement)
    if has_few_in_total:
        needed = f"{format_count(requirement.in_total, 'row')} that {structure} needs"
        notes.append(f"All components together have fewer than the {needed}.")
    if (small or has_few_in_total) and problem.total_weight < _MIN_MEAN_ROW_WEIGHT * problem.n_rows:
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


def _name_components(mask: BoolK) -> str:
    """Return 'component 2' or 'components 0 and 2' for the positions where the mask (K,) is True."""
    numbers = np.flatnonzero(mask).tolist()
    return f"{pluralize('component', len(numbers))} {join_with_and([str(k) for k in numbers])}"


def _format_components(components: list[int], singular_verb: str, plural_verb: str) -> str:
    """Return subject and verb of a sentence: 'Component 2 is', or 'Components 0 and 2 are'."""
    if len(components) == 1:
        return f"Component {components[0]} {singular_verb}"
    *others, last = (str(k) for k in components)
    return f"Components {', '.join(others)} and {last} {plural_verb}"
