"""Sentences on what a user should know of a run: noise, far rows, the variance floor and components of few rows."""

import numpy as np

from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.errors.text import format_columns, format_count
from gaussmix.model.column_dependence import describe_constant_columns
from gaussmix.model.degeneracy import (
    degenerate_component_mask,
    empty_component_mask,
    far_component_mask,
    has_too_few_in_total,
    has_too_few_rows,
)
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.noise_volume import log_data_volume
from gaussmix.model.problem import Problem
from gaussmix.solvers.loop import RunResult
from gaussmix.solvers.missing_cell_notes import compose_missing_cell_notes
from gaussmix.types import BoolK, K

_MIN_MEAN_ROW_WEIGHT = 0.5  # smaller mean weights are likely not meant as counts of rows
_SMALL_NOISE_LOG_VOLUME_RATIO = np.log(1e3)  # of the data to a suspicious volume


def collect_notes(problem: Problem, masses: K, result: RunResult[Mixture]) -> list[str]:
    """Return sentences on what a user should know of a run: split-and-merge moves, noise, floor, empty components."""
    notes, is_far = [], far_component_mask(result.model, problem)
    if result.n_split_merge:
        moves = format_count(result.n_split_merge, "split-and-merge move")
        notes.append(f"{moves} raised the likelihood before this run.")
    notes.extend(_compose_noise_notes(problem, result.model.noise))
    if problem.constant_columns:
        substitute = "its variance is set to a substitute"
        if len(problem.constant_columns) > 1:
            substitute = "their variances are set to substitutes"
        notes.append(f"{describe_constant_columns(problem.constant_columns, problem.feature_names)}, and {substitute}.")
    if problem.far_row_columns:
        columns = format_columns(problem.far_row_columns, problem.feature_names)
        notes.append(
            f"A few far rows have more than 99 % of the variance of {columns}: sentinels or slips? Starts and the "
            "variance floor are relative to the other rows. If their values are no measurements, leave these rows out "
            "and fit again."
        )
        far_components = np.flatnonzero(is_far).tolist()
        if far_components:
            notes.append(f"{_format_components(far_components, 'holds', 'hold')} such rows.")
    notes.extend(compose_missing_cell_notes(problem, result.model))
    requirement = problem.row_requirement(len(masses))
    if result.n_floored_iter or degenerate_component_mask(result.model, masses, requirement, is_far).any():
        notes.extend(_compose_floor_notes(result, problem, masses, is_far))
        notes.extend(_compose_mass_notes(problem, masses, is_far))
    if problem.covariance_estimator.prior is not None:
        notes.append("The parameters maximise the posterior under a prior; the log-likelihood omits its density.")
    return notes


def _compose_floor_notes(result: RunResult[Mixture], problem: Problem, masses: K, is_far: BoolK) -> list[str]:
    """Return a sentence on components at the variance floor, now or before, although they have enough rows."""
    requirement, is_floored = problem.row_requirement(len(masses)), result.model.covariance.is_floored & ~is_far
    has_few = has_too_few_rows(masses, requirement) | has_too_few_in_total(masses, requirement)
    floored = np.flatnonzero(is_floored & ~has_few).tolist()
    if floored:
        return [
            f"{_format_components(floored, 'is', 'are')} at the variance floor ({RELATIVE_FLOOR:g} of the overall "
            f"variance). {'Its' if len(floored) == 1 else 'Their'} rows are duplicated or collinear, or much closer to "
            "each other than to the rest, so the likelihood is uninformative. Try fewer components."
        ]
    if result.n_floored_iter and not is_floored.any():
        count = format_count(result.n_floored_iter, "iteration")
        return [f"The variance floor was active in {count}, not in the final fit."]
    return []


def _compose_mass_notes(problem: Problem, masses: K, is_far: BoolK) -> list[str]:
    """Return sentences on components that are empty or have too few rows."""
    notes, requirement = [], problem.row_requirement(len(masses))
    structure = problem.covariance_estimator.structure
    is_empty = empty_component_mask(masses / problem.total_weight)
    empty = np.flatnonzero(is_empty).tolist()
    if empty:
        notes.append(f"{_format_components(empty, 'is', 'are')} empty: no row belongs there.")
    small = np.flatnonzero(has_too_few_rows(masses, requirement) & ~is_empty & ~is_far).tolist()
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
    """Return sentences on the weight of the noise, and on a volume of the user that is too small for its rows."""
    if noise is None:
        return []
    notes = [f"Noise takes {100 * noise.weight:.1f} % of the weight."]
    if noise.box.has_given_volume:
        log_ratio = noise.box.log_volume - log_data_volume(problem)
        if log_ratio <= -_SMALL_NOISE_LOG_VOLUME_RATIO:
            notes.append(
                f"Its volume is {np.exp(log_ratio):.1g} of that of the data, so noise takes rows that lie close "
                "together; noise=True takes the volume of the data."
            )
    return notes


def _format_components(components: list[int], singular_verb: str, plural_verb: str) -> str:
    """Return subject and verb of a sentence: 'Component 2 is', or 'Components 0 and 2 are'."""
    if len(components) == 1:
        return f"Component {components[0]} {singular_verb}"
    *others, last = (str(k) for k in components)
    return f"Components {', '.join(others)} and {last} {plural_verb}"
