"""``Fit``: the record of a finished fit, in numbers and in sentences."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.covariance.row_requirement import RowRequirement
from gaussmix.errors.text import format_count, join_with_and, pluralize
from gaussmix.model.degeneracy import (
    degenerate_component_mask,
    empty_component_mask,
    far_component_mask,
    has_too_few_in_total,
    has_too_few_rows,
)
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.fit_notes import collect_notes
from gaussmix.solvers.loop import RunResult
from gaussmix.transforms import TransformedRows
from gaussmix.types import BoolK, IntK, K


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
    is_far_component : ndarray of shape (K,)
        Which components hold a few far rows, such as sentinels; these are never degenerate.
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
    is_far_component: BoolK = field(repr=False)
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
    def has_floored_component(self) -> bool:
        """Whether the covariance of a component, unless of far rows, is at the variance floor."""
        return bool((self.mixture.covariance.is_floored & ~self.is_far_component).any())

    @property
    def has_floored_component_of_enough_rows(self) -> bool:
        """Whether the covariance of a component is at the variance floor although there are enough rows."""
        is_floored = self.mixture.covariance.is_floored & ~self.has_too_few_rows & ~self.is_far_component
        return bool(is_floored.any()) and not self.has_too_few_rows_in_total

    @cached_property
    def is_degenerate(self) -> bool:
        """Whether a component is at the variance floor, is empty, or has too few rows for the structure.

        Components of a few far rows do not count.
        """
        mask = degenerate_component_mask(self.mixture, self.masses, self.row_requirement, self.is_far_component)
        return bool(mask.any())

    @property
    def degeneracy(self) -> str:
        """Why the fit is degenerate, as clauses that name the components; empty if it is not."""
        is_empty, is_near = empty_component_mask(self.mixture.weights), ~self.is_far_component
        is_floored = self.mixture.covariance.is_floored & ~is_empty & is_near
        clauses = {
            "{} empty": is_empty,
            "{} at the variance floor": is_floored,
            "too few rows for the covariance of {}": self.has_too_few_rows & ~is_floored & ~is_empty & is_near,
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


def permute_run_components(result: RunResult[Mixture], order: IntK) -> RunResult[Mixture]:
    """Return the run whose component k is component ``order[k]`` of this one, in mixture and expectation."""
    expectation = result.expectation
    return replace(
        result,
        model=result.model.permute_components(order),
        expectation=None if expectation is None else expectation.permute_components(order),
    )


def make_fit_after_e_step(result: RunResult[Mixture], problem: Problem, seconds: float) -> tuple[Fit, Expectation]:
    """Return the record of a run, and the expectation of its mixture, by one more E-step unless the run has made it."""
    mixture = result.model
    expectation = result.expectation or problem.e_step(mixture, MomentKind.NONE)
    log_likelihood = expectation.log_likelihood + problem.source.sum_log_jacobians(problem.total_weight)
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
        is_far_component=far_component_mask(mixture, problem),
        notes=tuple(collect_notes(problem, masses, result)),
        log_prior=log_prior,
    )
    return fit, expectation


def _name_components(mask: BoolK) -> str:
    """Return 'component 2' or 'components 0 and 2' for the positions where the mask (K,) is True."""
    numbers = np.flatnonzero(mask).tolist()
    return f"{pluralize('component', len(numbers))} {join_with_and([str(k) for k in numbers])}"
