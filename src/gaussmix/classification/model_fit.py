"""Fit a `ClassModel`: choose columns and components, refine, and calibrate on rows that the fits did not see."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.classification.calibration import SoftmaxCalibration, fit_calibration
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.column_sets import LabelledRows, ModelOptions, choose_column_set
from gaussmix.classification.families.cross_validation import FoldPieces
from gaussmix.classification.families.members import Members
from gaussmix.classification.families.parameter_count import count_parameters
from gaussmix.classification.families.spec_choice import SpecChoice
from gaussmix.classification.families.structure_search import compute_log_likelihood
from gaussmix.classification.families.training_rows import DistinctRows, TrainingRows, merge_equal_rows
from gaussmix.classification.mixed.refinement import RefinementOptions
from gaussmix.classification.table import EncodedRows, TableSchema
from gaussmix.classification.target import WeightedTarget
from gaussmix.selection.criteria import bic
from gaussmix.types import NK, IntN, N


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
    unused_columns : tuple of str
        Names of the columns of which the mixtures use nothing.
    class_weights : ndarray of shape (Y,)
        Total weight of the rows of each class.
    likelihood : FitLikelihood or None
        That of a single mixture that EM found; None for refined and for averaged mixtures.
    refinement : RefinementOptions or None
        With the penalty that was given or chosen.
    """

    model: ClassModel
    choice: SpecChoice
    n_iter: int
    held_out: HeldOutProbabilities | None
    unused_columns: tuple[str, ...]
    class_weights: N
    likelihood: FitLikelihood | None
    refinement: RefinementOptions | None


def fit_class_model(
    schema: TableSchema, encoded: EncodedRows, target: WeightedTarget, options: ModelOptions
) -> ModelFit:
    """Fit a model to encoded rows (n,) and their classes, with positive weights."""
    n_classes = len(target.classes)
    distinct = merge_equal_rows(encoded.numeric, encoded.codes, target.codes, target.weights, target.copies)
    labelled = LabelledRows(
        schema,
        encoded.select_rows(distinct.positions),
        target.codes[distinct.positions],
        n_classes,
        distinct.weights,
        distinct.copies,
    )
    chosen = choose_column_set(labelled, options)
    rows, choice, columns, pieces = chosen.fits.rows, chosen.choice, chosen.prepared.columns, chosen.prepared.pieces
    member_options = chosen.shrinkage.members
    members = chosen.fits.fit_members(choice.spec, member_options)
    model = ClassModel(
        schema, columns.categories, rows.layout, members.mixtures, unused_numbers=columns.unused_numbers(schema)
    )
    likelihood, refinement = None, member_options.refinement
    if refinement is None:
        likelihood = _compute_likelihood(members.mixtures, choice, rows, len(columns.numbers))
    elif options.calibration is None or chosen.validation is None:
        model = replace(model, calibration=SoftmaxCalibration(1.0, np.zeros(n_classes), members.floors))
    unused = columns.silent_names(schema)
    fit = ModelFit(model, choice, members.n_iter, None, unused, rows.class_weights, likelihood, refinement)
    if chosen.validation is None or pieces is None or options.calibration is None:
        return fit
    log_probabilities = chosen.validation.predict(choice.spec, member_options)
    held_out = chosen.validation.held_out_rows
    calibration = fit_calibration(options.calibration, log_probabilities, held_out.classes, held_out.row_weights)
    pieces = pieces.select(chosen.validation.held_out)
    expanded = _expand_to_all_rows(
        log_probabilities, pieces._replace(rows=chosen.prepared.sampled[pieces.rows]), distinct
    )
    return fit._replace(model=replace(model, calibration=calibration), held_out=expanded)


def _compute_likelihood(
    members: Members, choice: SpecChoice, rows: TrainingRows, n_numbers: int
) -> FitLikelihood | None:
    """Return the likelihood of a model of one mixture of ``n_numbers`` numeric columns; None for an average."""
    if len(members) > 1:
        return None
    log_likelihood = compute_log_likelihood(members[0], rows)
    n_parameters = count_parameters(replace(rows.layout, n_numeric=n_numbers), choice.spec, rows.n_classes)
    return FitLikelihood(log_likelihood, n_parameters, bic(log_likelihood, n_parameters, float(rows.row_weights.sum())))


def _expand_to_all_rows(log_probabilities: NK, pieces: FoldPieces, distinct: DistinctRows) -> HeldOutProbabilities:
    """Return the probabilities of all copies of distinct rows: the mean over the pieces (m,) of each."""
    total = np.full((len(distinct.positions), log_probabilities.shape[1]), -np.inf)
    np.logaddexp.at(total, pieces.rows, log_probabilities + np.log(pieces.fractions)[:, None])
    is_held_out = np.zeros(len(total), dtype=bool)
    is_held_out[pieces.rows] = True
    rows = np.flatnonzero(is_held_out[distinct.of_row])
    return HeldOutProbabilities(rows, total[distinct.of_row[rows]])
