"""``Fit``: what a finished fit says of itself, in numbers and in sentences."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import Outcome, Trace
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.errors.words import counted
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.run import Run
from gaussmix.types import BoolK, K

_LIGHT = 0.5  # of a row, on average: such weights were hardly meant to count rows
_EMPTY = 1e-8  # a component of less mass than this owns no row
_MUCH_LESS = np.log(1e3)  # how many times smaller than the box of the data a volume of noise is that is remarked on


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
    condition: float
    on_floor: bool
    is_small: bool


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
    trace: Trace
    log_likelihood: float
    bound: float
    entropy: float
    seconds: float
    mixture: Mixture = field(repr=False)
    masses: K = field(repr=False)
    share_computed: float
    rows_needed: int
    notes: tuple[str, ...]

    @cached_property
    def components(self) -> tuple[ComponentDiagnostics, ...]:
        """What the fit says of each component; made when first asked for, as conditions take a while."""
        mixture = self.mixture
        conditions = mixture.covariance.root.conditions(mixture.n_components)
        values = (mixture.weights, self.masses, conditions, mixture.covariance.floored, self.small)
        return tuple(ComponentDiagnostics(*parts) for parts in zip(*(value.tolist() for value in values), strict=True))

    @property
    def converged(self) -> bool:
        return self.outcome is Outcome.CONVERGED

    @property
    def small(self) -> BoolK:
        """Which components (K,) hold fewer rows than a covariance needs."""
        return np.asarray(self.masses < self.rows_needed)

    @property
    def is_on_floor(self) -> bool:
        """Whether a component's covariance rests on the floor."""
        return bool(self.mixture.covariance.floored.any())

    @property
    def is_degenerate(self) -> bool:
        """Whether a component rests on the floor, is empty, or holds too few rows for a covariance."""
        return self.is_on_floor or bool(self.small.any())

    def __str__(self) -> str:
        passes = counted(len(self.trace), "pass")
        summary = f"{passes} in {self.seconds:.2g} s, log-likelihood {self.log_likelihood:.10g}."
        return " ".join([str(self.outcome), summary, *self.notes])


def finished(winner: Run, problem: Problem, seconds: float) -> tuple[Fit, Expectation]:
    """Evaluate the returned parameters in one more pass, and put what happened into words."""
    mixture = winner.mixture
    expectation = problem.expect(mixture.to_quadratics())
    total = expectation.log_likelihood + problem.total_weight * problem.source.frame.log_volume
    masses = expectation.moments.mass[: mixture.n_components]
    fit = Fit(
        outcome=winner.outcome,
        trace=winner.trace,
        log_likelihood=total,
        bound=total / problem.total_weight,
        entropy=expectation.entropy,
        seconds=seconds,
        mixture=mixture,
        masses=masses,
        share_computed=expectation.share_computed,
        rows_needed=problem.rows_needed,
        notes=tuple(notes_on(problem, masses, winner)),
    )
    return fit, expectation


def notes_on(problem: Problem, masses: K, winner: Run) -> list[str]:
    """Sentences on whatever is remarkable about where a run has ended."""
    notes = []
    if winner.moves:
        led = "move of split and merge" if winner.moves == 1 else "moves of split and merge"
        notes.append(f"{winner.moves} {led} led here, from a lower likelihood.")
    noise = winner.mixture.noise
    if noise is not None:
        notes.append(f"Noise takes {100 * noise.weight:.1f} % of the weight.")
        notes.extend(_of_small_volume(problem, noise))
    if problem.constant_columns:
        names = ", ".join(_column_name(problem, j) for j in problem.constant_columns)
        notes.append(f"Constant column {names}: it tells no groups apart, and its variance is a stand-in.")
    floored = np.flatnonzero(winner.mixture.covariance.floored).tolist()
    if floored:
        notes.append(
            f"{_named(floored, 'rests', 'rest')} on the floor of the variance ({RELATIVE_FLOOR:g} of the overall "
            "one): rows there are equal or lie in a plane, and the likelihood says little. Fewer components may do."
        )
    elif winner.floored_passes:
        notes.append(f"The floor under the variances was touched in {winner.floored_passes} passes and left again.")
    empty = np.flatnonzero(masses < _EMPTY).tolist()
    if empty:
        notes.append(f"{_named(empty, 'is', 'are')} empty: no row belongs there.")
    small = np.flatnonzero((masses < problem.rows_needed) & (masses >= _EMPTY)).tolist()
    if small:
        rows = "row" if problem.rows_needed == 1 else "rows"
        needed = f"{problem.rows_needed} {rows} that a covariance needs"
        notes.append(f"{_named(small, 'holds', 'hold')} fewer than the {needed}.")
        if problem.total_weight < _LIGHT * problem.source.n_rows:
            weight = f"{problem.total_weight:.3g} in all"
            notes.append(f"The rows weigh {weight}, and count as so many; weights say how often each row counts.")
    if problem.family.prior is not None:
        notes.append("These are the most probable parameters under a prior, whose density the log-likelihood omits.")
    return notes


def _of_small_volume(problem: Problem, noise: Noise) -> list[str]:
    """Whether noise was given a volume that its rows cannot lie in."""
    data = float(np.log(problem.extent.high - problem.extent.low).sum())
    if noise.box.log_volume > data - _MUCH_LESS:
        return []
    share = np.exp(noise.box.log_volume - data)
    return [f"Its volume is {share:.1g} of the data's box: noise takes rows that lie together; noise=True is wider."]


def _column_name(problem: Problem, column: int) -> str:
    return str(column) if problem.feature_names is None else repr(problem.feature_names[column])


def _named(components: list[int], one: str, many: str) -> str:
    """'Component 2 rests', 'Components 0 and 2 rest'."""
    if len(components) == 1:
        return f"Component {components[0]} {one}"
    *most, last = (str(k) for k in components)
    return f"Components {', '.join(most)} and {last} {many}"
