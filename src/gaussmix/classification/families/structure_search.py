"""Choose covariance structures by BIC: which structures there are, which rows can estimate them, and which is best."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.families.block_choice import MAX_BLOCK_PATTERNS
from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.families.parameter_count import count_parameters
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.log_probabilities import log_sum_exp
from gaussmix.classification.mixed.mixed_em import EMResult
from gaussmix.classification.mixed.mixed_m_step import MixedMStep, make_block_estimator
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import MixedPrior, PriorStrength
from gaussmix.covariance.structure import MCLUST_NAMES, MclustStructure, Structure
from gaussmix.errors import ClassifierParameterError
from gaussmix.model.degeneracy import has_too_few_in_total, has_too_few_rows
from gaussmix.selection.candidates import round_criterion
from gaussmix.selection.criteria import bic
from gaussmix.types import BoolK

# One pseudo-observation of each categorical column, at the frequencies of all rows, keeps every level possible.
MAXIMUM_LIKELIHOOD = PriorStrength(mean=0.0, covariance=0.0, levels=1.0)
# Where rows cannot estimate a structure, each component gets as many rows with the covariance within the classes.
WITH_PSEUDO_ROWS = PriorStrength(mean=0.0, covariance=5.0, levels=1.0)
EM_TOLERANCE = 1e-7  # of the mean log posterior density per row: criteria compare likelihoods
EM_MAX_ITER = 500

_SINGLE_COMPONENT_NAMES = ("EII", "EEI", "EEE")  # one component: round, axis-aligned, full
_ROUND_NAMES = ("EII", "VII")  # the structures of one column


@dataclass(frozen=True)
class StructureCandidate:
    """A structure with numbers of components, and its BIC.

    Attributes
    ----------
    structure : str
    n_components : tuple of int
        One number for each class, or the one of ``label``.
    log_likelihood : float
        Of the rows without their classes, in the data's units.
    n_parameters : int
    bic : float
        Lower is better.
    is_degenerate : bool
        Whether a variance is on its floor, or a component has too few rows for the structure.
    label : int or None
        Position of the class whose rows were fitted; None for all classes together.
    """

    structure: str
    n_components: tuple[int, ...]
    log_likelihood: float
    n_parameters: int
    bic: float
    is_degenerate: bool
    label: int | None = None


@dataclass(frozen=True)
class UnsoundStructures:
    """Structures that rows are too few or too alike to estimate.

    Attributes
    ----------
    structures : tuple of str
    labels : tuple of int
        The classes of these rows.
    has_prior : bool
        Whether the structure is used nevertheless, with pseudo-observations; otherwise it is left out.
    """

    structures: tuple[str, ...]
    labels: tuple[int, ...]
    has_prior: bool


def list_structures(layout: FeatureLayout, n_components: int, structure: str | None = None) -> tuple[str, ...]:
    """Return the names of the structures that differ for these columns and this number of components.

    A ``structure`` that is given is the only one.

    Raises
    ------
    ClassifierParameterError
        If the columns can have axis-aligned structures alone, and the given one is none.
    """
    if structure is not None:
        is_possible = layout.block or layout.n_numeric < 2 or Structure.from_name(structure).is_axis_aligned
        if not is_possible:
            raise ClassifierParameterError.structure_without_block(structure, MAX_BLOCK_PATTERNS)
        return (structure,)
    if layout.n_numeric < 2:
        return _ROUND_NAMES[: 1 if n_components == 1 or not layout.n_numeric else 2]
    names = _SINGLE_COMPONENT_NAMES if n_components == 1 else MCLUST_NAMES
    return tuple(name for name in names if layout.block or MclustStructure(*name).is_axis_aligned)


def make_structured_m_step(prior: MixedPrior, structure: str, rows: TrainingRows) -> MixedMStep:
    """Return the M-step of all numeric columns within a structure.

    Structures that depend on the units of single columns are those in the data's units.
    """
    layout = rows.layout
    columns = layout.block_columns if layout.block else layout.independent_columns
    units = None
    if rows.units is not None and len(columns) and not Structure.from_name(structure).is_column_scale_equivariant:
        units = rows.units[columns] / rows.units[columns].max()
    estimator = make_block_estimator(structure, len(columns), units)
    return MixedMStep(prior, estimator, units, None if layout.block else estimator)


def find_degenerate_components(structure: str, result: EMResult, rows: TrainingRows) -> BoolK:
    """Return which components (K,) have a variance on the floor, or too few rows for the structure."""
    mixture, n_columns = result.mixture, rows.layout.n_numeric
    masses = np.exp(mixture.log_weights) * rows.row_weights.sum()
    if not n_columns:
        return np.zeros(len(masses), dtype=bool)
    requirement = Structure.from_name(structure).row_requirement(len(masses), n_columns)
    is_degenerate = has_too_few_rows(masses, requirement) | has_too_few_in_total(masses, requirement)
    return np.asarray(is_degenerate if result.covariance is None else is_degenerate | result.covariance.is_floored)


def compute_log_likelihood(mixture: MixedMixture, rows: TrainingRows) -> float:
    """Return the log density of all rows together, without their classes, in the data's units."""
    features = rows.mixed_rows
    densities = log_sum_exp(mixture.compute_scores(features))
    return float(features.apply_weights(densities).sum()) + rows.total_log_jacobian


def make_candidate(spec: MixtureSpec, result: EMResult, rows: TrainingRows) -> StructureCandidate:
    """Return the candidate of a mixture that EM found for one structure."""
    structure = spec.structures[0]
    log_likelihood = compute_log_likelihood(result.mixture, rows)
    n_parameters = count_parameters(rows.layout, spec, rows.n_classes)
    criterion = bic(log_likelihood, n_parameters, float(rows.row_weights.sum()))
    is_degenerate = bool(find_degenerate_components(structure, result, rows).any())
    return StructureCandidate(structure, spec.n_components, log_likelihood, n_parameters, criterion, is_degenerate)


def sort_candidates(candidates: Iterable[StructureCandidate]) -> tuple[StructureCandidate, ...]:
    """Return candidates, the best first: those that are not degenerate by BIC, then the others by their parameters."""
    return tuple(sorted(candidates, key=_sort_key))


def _sort_key(candidate: StructureCandidate) -> tuple[bool, float, int]:
    """Return the key that sorts the best candidate first."""
    value = float(candidate.n_parameters) if candidate.is_degenerate else round_criterion(candidate.bic)
    return candidate.is_degenerate, value, candidate.n_parameters
