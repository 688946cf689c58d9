"""``Fit``: what a finished fit says of itself, in numbers and in sentences."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.errors.text import format_count
from gaussmix.model.degeneracy import find_degenerate_components, has_too_few_rows
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.loop import RunResult
from gaussmix.types import BoolK, K

_MIN_MEAN_ROW_WEIGHT = 0.5  # of a row, on average: such weights were hardly meant to count rows
_MAX_EMPTY_MASS = 1e-8  # a component of less mass than this owns no row
_SMALL_NOISE_LOG_VOLUME_RATIO = np.log(
    1e3
)  # how many times smaller than the box of the data a volume of noise is that is remarked on


@dataclass(frozen=True)
class ComponentDiagnostics:
    """One component of a finished fit.

    ``weight`` is its share, ``mass`` its responsibility summed over the weighted rows,
    ``condition`` the ratio of the largest to the smallest eigenvalue of its covariance in the
    working coordinates, ``on_floor`` whether its covariance rests on the floor, ``is_small``
    whether it holds fewer rows than a covariance needs (features + 1, or factors + 1 where there are some).
    """

    weight: float
    mass: float
    condition_number: float
    is_floored: bool
    has_too_few_rows: bool


@dataclass(frozen=True)
class Fit:
    """The record of a fit; ``print(estimator.fit_)`` reads as a paragraph.

    ``log_likelihood`` and ``bound`` (the same per unit of weight) belong to the returned
    parameters; the last entry of ``trace`` was taken before the last update. ``mixture`` holds
    those parameters and ``masses`` (K,) the responsibilities summed over the weighted rows.
    ``share_computed`` is the share of all pairs of row and component whose distance the last pass
    computed: the others could not have mattered. ``rows_needed`` are the rows that a component needs for a covariance:
    more than columns, or factors; with a prior, one.
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
        """What the fit says of each component; made when first asked for, as conditions take a while."""
        mixture = self.mixture
        conditions = mixture.covariance.precision_root.condition_numbers(mixture.n_components)
        values = (mixture.weights, self.masses, conditions, mixture.covariance.is_floored, self.has_too_few_rows)
        return tuple(ComponentDiagnostics(*parts) for parts in zip(*(value.tolist() for value in values), strict=True))

    @property
    def converged(self) -> bool:
        return self.outcome is Outcome.CONVERGED

    @property
    def has_too_few_rows(self) -> BoolK:
        """Which components (K,) hold fewer rows than a covariance needs."""
        return has_too_few_rows(self.masses, self.min_component_rows)

    @property
    def has_floored_component(self) -> bool:
        """Whether a component's covariance rests on the floor."""
        return bool(self.mixture.covariance.is_floored.any())

    @property
    def is_degenerate(self) -> bool:
        """Whether a component rests on the floor, is empty, or holds too few rows for a covariance."""
        return bool(find_degenerate_components(self.mixture, self.masses, self.min_component_rows).any())

    def __str__(self) -> str:
        passes = format_count(len(self.trace), "pass")
        summary = f"{passes} in {self.seconds:.2g} s, log-likelihood {self.log_likelihood:.10g}."
        return " ".join([str(self.outcome), summary, *self.notes])


def evaluate_run(result: RunResult, problem: Problem, seconds: float) -> tuple[Fit, Expectation]:
    """Evaluate the returned parameters in one more pass, and put what happened into words."""
    mixture = result.mixture
    expectation = problem.e_step(mixture)
    total = expectation.log_likelihood + problem.total_weight * problem.source.frame.log_abs_det_jacobian
    masses = expectation.moments.mass[: mixture.n_components]
    fit = Fit(
        outcome=result.outcome,
        trace=result.trace,
        log_likelihood=total,
        mean_log_likelihood=total / problem.total_weight,
        entropy=expectation.entropy,
        seconds=seconds,
        mixture=mixture,
        masses=masses,
        fraction_computed=expectation.fraction_computed,
        min_component_rows=problem.min_component_rows,
        notes=tuple(collect_notes(problem, masses, result)),
    )
    return fit, expectation


def collect_notes(problem: Problem, masses: K, result: RunResult) -> list[str]:
    """Sentences on whatever is remarkable about where a run has ended."""
    notes = []
    if result.n_split_merge:
        led = "move of split and merge" if result.n_split_merge == 1 else "moves of split and merge"
        notes.append(f"{result.n_split_merge} {led} led here, from a lower likelihood.")
    noise = result.mixture.noise
    if noise is not None:
        notes.append(f"Noise takes {100 * noise.weight:.1f} % of the weight.")
        notes.extend(_small_noise_volume_notes(problem, noise))
    if problem.constant_columns:
        names = ", ".join(_column_name(problem, j) for j in problem.constant_columns)
        notes.append(f"Constant column {names}: it tells no groups apart, and its variance is a stand-in.")
    floored = np.flatnonzero(result.mixture.covariance.is_floored).tolist()
    if floored:
        notes.append(
            f"{_format_components(floored, 'rests', 'rest')} on the floor of the variance ({RELATIVE_FLOOR:g} of the "
            "overall one): rows there are equal or lie in a plane, and the likelihood says little. Fewer components "
            "may do."
        )
    elif result.n_floored_iter:
        notes.append(f"The floor under the variances was touched in {result.n_floored_iter} passes and left again.")
    empty = np.flatnonzero(masses < _MAX_EMPTY_MASS).tolist()
    if empty:
        notes.append(f"{_format_components(empty, 'is', 'are')} empty: no row belongs there.")
    small = np.flatnonzero(has_too_few_rows(masses, problem.min_component_rows) & (masses >= _MAX_EMPTY_MASS)).tolist()
    if small:
        rows = "row" if problem.min_component_rows == 1 else "rows"
        needed = f"{problem.min_component_rows} {rows} that a covariance needs"
        notes.append(f"{_format_components(small, 'holds', 'hold')} fewer than the {needed}.")
        if problem.total_weight < _MIN_MEAN_ROW_WEIGHT * problem.n_rows:
            weight = f"{problem.total_weight:.3g} in all"
            notes.append(f"The rows weigh {weight}, and count as so many; weights say how often each row counts.")
    if problem.covariance_estimator.prior is not None:
        notes.append("These are the most probable parameters under a prior, whose density the log-likelihood omits.")
    return notes


def _small_noise_volume_notes(problem: Problem, noise: Noise) -> list[str]:
    """Whether noise was given a volume that its rows cannot lie in."""
    data = float(np.log(problem.column_range.maximum - problem.column_range.minimum).sum())
    if noise.box.log_volume > data - _SMALL_NOISE_LOG_VOLUME_RATIO:
        return []
    share = np.exp(noise.box.log_volume - data)
    return [f"Its volume is {share:.1g} of the data's box: noise takes rows that lie together; noise=True is wider."]


def _column_name(problem: Problem, column: int) -> str:
    return str(column) if problem.feature_names is None else repr(problem.feature_names[column])


def _format_components(components: list[int], singular_verb: str, plural_verb: str) -> str:
    """'Component 2 rests', 'Components 0 and 2 rest'."""
    if len(components) == 1:
        return f"Component {components[0]} {singular_verb}"
    *most, last = (str(k) for k in components)
    return f"Components {', '.join(most)} and {last} {plural_verb}"
