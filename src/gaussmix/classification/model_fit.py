"""Fit a `ClassModel`: choose columns and components, refine, and calibrate on rows that the fits did not see."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.classification.calibration import fit_calibration
from gaussmix.classification.class_model import ClassModel, compute_log_jacobians
from gaussmix.classification.families.base import AnyFamily
from gaussmix.classification.families.column_relevance import find_relevant_categories
from gaussmix.classification.families.cross_validation import CrossValidation, assign_folds
from gaussmix.classification.families.members import MemberOptions
from gaussmix.classification.families.parameter_count import count_parameters
from gaussmix.classification.families.spec_choice import ChoiceRequest, SpecChoice
from gaussmix.classification.families.structure_search import compute_log_likelihood
from gaussmix.classification.families.training_rows import DistinctRows, TrainingRows, merge_equal_rows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.table import EncodedRows, TableSchema
from gaussmix.core.random_numbers import make_generator
from gaussmix.selection.criteria import bic
from gaussmix.types import NK, D, IntD, IntN, N

MAX_VALIDATION_ROWS = 20_000


@dataclass(frozen=True)
class ModelOptions:
    """How a model is fitted.

    Attributes
    ----------
    family : AbstractFamily
    request : ChoiceRequest
    members : MemberOptions
    calibration : str or None
    n_folds : int
        Folds of the choice and of the calibration.
    """

    family: AnyFamily
    request: ChoiceRequest
    members: MemberOptions
    calibration: str | None
    n_folds: int


class HeldOutProbabilities(NamedTuple):
    """Rows that were held out in turn (m,), and their log probabilities (m, Y), not calibrated."""

    rows: IntN
    log_probabilities: NK


class FitLikelihood(NamedTuple):
    """Log-likelihood of the rows without their classes in the data's units, number of parameters, and BIC."""

    log_likelihood: float
    n_parameters: int
    bic: float


class ModelFit(NamedTuple):
    """A model, and what a user should know of its fit.

    Attributes
    ----------
    model : ClassModel
    choice : SpecChoice
    n_iter : int
        Largest number of iterations of the final fits.
    held_out : HeldOutProbabilities or None
        Rows held out in turn, if any were.
    unused_categories : ndarray of int64
        Positions of the encoded categorical columns that the mixtures do not use.
    class_weights : ndarray of shape (Y,)
        Total weight of the rows of each class.
    likelihood : FitLikelihood or None
        That of a single mixture that EM found; None for refined and for averaged mixtures.
    """

    model: ClassModel
    choice: SpecChoice
    n_iter: int
    held_out: HeldOutProbabilities | None
    unused_categories: IntD
    class_weights: N
    likelihood: FitLikelihood | None


def fit_class_model(
    schema: TableSchema, encoded: EncodedRows, classes: IntN, n_classes: int, weights: N, options: ModelOptions
) -> ModelFit:
    """Fit a model to encoded rows with classes (n,) and weights (n,), which are positive."""
    distinct = merge_equal_rows(encoded.numeric, encoded.codes, classes, weights)
    encoded, classes, weights = encoded.select_rows(distinct.positions), classes[distinct.positions], distinct.weights
    relevant = find_relevant_categories(encoded.codes, schema.n_levels, classes, n_classes, weights)
    categories = np.array(relevant, dtype=np.int64)
    block = options.family.choose_block(encoded.numeric, classes, weights)
    layout = FeatureLayout(len(schema.numeric), block, tuple(schema.n_levels[c] for c in relevant))
    codes, log_jacobians = encoded.codes[:, categories], compute_log_jacobians(schema, encoded)
    rows = TrainingRows(layout, encoded.numeric, codes, classes, n_classes, weights, _units(schema), log_jacobians)
    sampled = _sample_rows(rows, options.members.seeds[0])
    validation = _make_validation(rows.select_rows(sampled), options)
    fits = options.family.make_fits(rows)
    choice = options.family.choose_spec(fits, options.request, validation, options.members)
    members = fits.fit_members(choice.spec, options.members)
    model = ClassModel(schema, categories, layout, members.mixtures)
    unused = np.setdiff1d(np.arange(len(schema.categorical)), categories)
    likelihood = None if options.members.refinement is not None else _compute_likelihood(model, choice, rows)
    if validation is None or options.calibration is None:
        return ModelFit(model, choice, members.n_iter, None, unused, rows.class_weights, likelihood)
    log_probabilities = validation.predict(choice.spec, options.members)
    held_out = validation.held_out_rows
    calibration = fit_calibration(options.calibration, log_probabilities, held_out.classes, held_out.row_weights)
    calibrated = replace(model, calibration=calibration)
    expanded = _expand_to_all_rows(log_probabilities, sampled[validation.held_out], distinct)
    return ModelFit(calibrated, choice, members.n_iter, expanded, unused, rows.class_weights, likelihood)


def _units(schema: TableSchema) -> D:
    """Return the data's units of one standard deviation of each numeric column, of transformed values if it is."""
    return np.array([c.scale * (c.unit if c.transform is None else 1.0) for c in schema.numeric], dtype=np.float64)


def _compute_likelihood(model: ClassModel, choice: SpecChoice, rows: TrainingRows) -> FitLikelihood | None:
    """Return the likelihood of a model of one mixture; None for an average of several."""
    if len(model.members) > 1:
        return None
    log_likelihood = compute_log_likelihood(model.members[0], rows)
    n_parameters = count_parameters(rows.layout, choice.spec, rows.n_classes)
    return FitLikelihood(log_likelihood, n_parameters, bic(log_likelihood, n_parameters, float(rows.row_weights.sum())))


def _expand_to_all_rows(log_probabilities: NK, held_out: IntN, distinct: DistinctRows) -> HeldOutProbabilities:
    """Return the probabilities (m, Y) of distinct rows for all their copies."""
    of_distinct = np.full(len(distinct.positions), -1, dtype=np.int64)
    of_distinct[held_out] = np.arange(len(held_out))
    of_row = of_distinct[distinct.of_row]
    rows = np.flatnonzero(of_row >= 0)
    return HeldOutProbabilities(rows, log_probabilities[of_row[rows]])


def _sample_rows(rows: TrainingRows, seed: int) -> IntN:
    """Return the positions of at most 20 000 rows, at random, ascending."""
    if rows.n_rows <= MAX_VALIDATION_ROWS:
        return np.arange(rows.n_rows)
    drawn = make_generator(seed).choice(rows.n_rows, MAX_VALIDATION_ROWS, replace=False)
    return np.sort(drawn).astype(np.int64)


def _make_validation(rows: TrainingRows, options: ModelOptions) -> CrossValidation | None:
    """Return folds of the rows, None if fewer than two classes have two rows."""
    is_needed = options.calibration is not None or options.request.n_components is None
    counts = np.bincount(rows.classes, minlength=rows.n_classes)
    if not is_needed or np.count_nonzero(counts > 1) < 2:
        return None
    folds = assign_folds(rows.classes, options.n_folds, options.members.seeds[0])
    return CrossValidation(rows, folds, options.family.make_fits)
