"""Choose the columns of a model: those that say something about the class, unless all of them predict better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from gaussmix.classification.class_model import compute_log_jacobians, mask_numbers
from gaussmix.classification.families.base import MIN_ROWS_PER_COMPONENT, AnyFamily
from gaussmix.classification.families.column_relevance import find_relevant_categories, find_relevant_numbers
from gaussmix.classification.families.component_search import log_losses
from gaussmix.classification.families.cross_validation import CrossValidation, FoldPieces, divide_copies
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.spec_choice import ChoiceRequest, SpecChoice
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.shrinkage import Shrinkage, choose_shrinkage, propose_penalty
from gaussmix.classification.table import EncodedRows, TableSchema
from gaussmix.core.random_numbers import make_generator
from gaussmix.types import D, IntD, IntN, N

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
    has_given_penalty : bool
        Whether the penalty of ``members`` is the user's; else it is chosen.
    """

    family: AnyFamily
    request: ChoiceRequest
    members: MemberOptions
    calibration: str | None
    n_folds: int
    has_given_penalty: bool


class LabelledRows(NamedTuple):
    """Distinct encoded rows of a schema with their classes (n,), weights (n,) and numbers of copies (n,)."""

    schema: TableSchema
    encoded: EncodedRows
    classes: IntN
    n_classes: int
    weights: N
    copies: IntN


class ColumnSet(NamedTuple):
    """Positions of the encoded columns that a model uses: numeric and categorical ones, ascending."""

    numbers: IntD
    categories: IntD

    def unused_numbers(self, schema: TableSchema) -> IntD:
        """Return the positions of the other numeric columns."""
        return np.setdiff1d(np.arange(len(schema.numeric)), self.numbers)

    def unused_names(self, schema: TableSchema) -> tuple[str, ...]:
        """Return the names of the columns that are not used."""
        categories = np.setdiff1d(np.arange(len(schema.categorical)), self.categories)
        numbers = self.unused_numbers(schema)
        return (*(schema.numeric[j].name for j in numbers), *(schema.categorical[c].name for c in categories))


class ChosenColumns(NamedTuple):
    """A set of columns, the fits of the training rows in it, the folds of a sample of them, and the specification.

    ``pieces`` are the rows of the sample in the folds; ``shrinkage`` is the given or chosen one.
    """

    columns: ColumnSet
    fits: AbstractFamilyFits
    sampled: IntN
    pieces: FoldPieces | None
    validation: CrossValidation | None
    choice: SpecChoice
    shrinkage: Shrinkage


def choose_column_set(labelled: LabelledRows, options: ModelOptions) -> ChosenColumns:
    """Return the columns that say something about the class, or all if these predict unseen rows better.

    Columns are examined one by one, so that some could matter together alone. All columns are therefore tried with the
    same numbers of components, and with twice as many, from one start each.
    """
    every, relevant, block = _list_column_sets(labelled, options.family)
    chosen = _choose_spec(labelled, relevant, block, options)
    if chosen.validation is None or not relevant.unused_names(labelled.schema):
        return chosen
    assert chosen.pieces is not None
    family, members = chosen.shrinkage
    folds = _make_validate(_make_rows(labelled, every, block).select_rows(chosen.sampled), chosen.pieces)(family)
    one_start = MemberOptions(members.seeds[:1], members.refinement)
    loss = _mean_loss(chosen.validation, chosen.choice.spec, one_start)
    specs = _list_specs(chosen.choice.spec, chosen.fits.rows, options)
    if min(_mean_loss(folds, spec, one_start) for spec in specs) >= loss:
        return chosen
    return _choose_spec(labelled, every, block, options)


def _list_column_sets(labelled: LabelledRows, family: AnyFamily) -> tuple[ColumnSet, ColumnSet, tuple[int, ...]]:
    """Return all columns, the relevant ones, and the positions of the correlated numeric columns."""
    schema, encoded, classes, n_classes, weights, _ = labelled
    block = family.choose_block(encoded.numeric, classes, weights)
    every = ColumnSet(np.arange(len(schema.numeric)), np.arange(len(schema.categorical)))
    categories = find_relevant_categories(encoded.codes, schema.n_levels, classes, n_classes, weights)
    numbers = every.numbers
    if family.selects_columns:
        numbers = find_relevant_numbers(encoded.numeric, classes, n_classes, weights, block)
    return every, ColumnSet(numbers, np.array(categories, dtype=np.int64)), block


def _choose_spec(
    labelled: LabelledRows, columns: ColumnSet, block: tuple[int, ...], options: ModelOptions
) -> ChosenColumns:
    """Return the specification that is best with some columns, and the prior and penalty that are best with it.

    With these other numbers of components may be best, so that they are chosen again.
    """
    rows = _make_rows(labelled, columns, block)
    sampled = _sample_rows(rows, options.members.seeds[0])
    pieces = _divide_rows(rows.classes[sampled], labelled.copies[sampled], rows.n_classes, options)
    best = Shrinkage(options.family, options.members)
    if not options.has_given_penalty:
        best = best.with_penalty(propose_penalty(float(rows.class_weights.sum())))
    fits, validation = best.family.make_fits(rows), None
    if pieces is not None:
        validate = _make_validate(rows.select_rows(sampled), pieces)
        validation = validate(best.family)
    choice = best.family.choose_spec(fits, options.request, validation, best.members)
    if pieces is not None:
        first, best = best, choose_shrinkage(best, choice.spec, validate, options.has_given_penalty)
        if best != first:
            fits, validation = best.family.make_fits(rows), validate(best.family)
            choice = best.family.choose_spec(fits, options.request, validation, best.members)
    return ChosenColumns(columns, fits, sampled, pieces, validation, choice, best)


def _make_validate(rows: TrainingRows, pieces: FoldPieces) -> Callable[[AnyFamily], CrossValidation]:
    """Return a function that returns the cross-validation of a family on the pieces of rows."""
    divided = rows.divide(pieces.rows, pieces.fractions)
    return cache(lambda family: CrossValidation(divided, pieces.folds, family.make_fits))


def _make_rows(labelled: LabelledRows, columns: ColumnSet, block: tuple[int, ...]) -> TrainingRows:
    """Return the training rows, in which other numeric columns count as missing."""
    schema, encoded, classes, n_classes, weights, _ = labelled
    layout = FeatureLayout(len(schema.numeric), block, tuple(schema.n_levels[c] for c in columns.categories))
    masked = mask_numbers(encoded, columns.unused_numbers(schema))
    log_jacobians = compute_log_jacobians(schema, masked)
    codes = encoded.codes[:, columns.categories]
    return TrainingRows(layout, masked.numeric, codes, classes, n_classes, weights, _units(schema), log_jacobians)


def _units(schema: TableSchema) -> D:
    """Return the data's units of one standard deviation of each numeric column, of transformed values if it is."""
    return np.array([c.scale * (c.unit if c.transform is None else 1.0) for c in schema.numeric], dtype=np.float64)


def _list_specs(spec: MixtureSpec, rows: TrainingRows, options: ModelOptions) -> Sequence[MixtureSpec]:
    """Return a specification, and the same with twice the components of each class unless their numbers are fixed."""
    family = options.family
    is_fixed = options.request.n_components is not None or not family.can_have_several_components
    if is_fixed or family.has_shared_components:
        return (spec,)
    pairs = zip(spec.n_components, rows.class_weights, strict=True)
    doubled = tuple(max(count, min(2 * count, int(weight // MIN_ROWS_PER_COMPONENT))) for count, weight in pairs)
    return tuple(dict.fromkeys((spec, MixtureSpec(doubled, spec.structures))))


def _mean_loss(validation: CrossValidation, spec: MixtureSpec, options: MemberOptions) -> float:
    """Return the cross-validated log-loss of a specification, in nats per row."""
    rows = validation.held_out_rows
    return float(np.average(log_losses(validation.predict(spec, options), rows.classes), weights=rows.row_weights))


def _sample_rows(rows: TrainingRows, seed: int) -> IntN:
    """Return the positions of at most 20 000 rows, at random, ascending."""
    if rows.n_rows <= MAX_VALIDATION_ROWS:
        return np.arange(rows.n_rows)
    drawn = make_generator(seed).choice(rows.n_rows, MAX_VALIDATION_ROWS, replace=False)
    return np.sort(drawn).astype(np.int64)


def _divide_rows(classes: IntN, copies: IntN, n_classes: int, options: ModelOptions) -> FoldPieces | None:
    """Return rows (n,) with numbers of copies (n,) in folds, None if fewer than two classes have two rows."""
    is_needed = options.calibration is not None or options.request.n_components is None or not options.has_given_penalty
    counts = np.bincount(classes, weights=copies, minlength=n_classes)
    if not is_needed or np.count_nonzero(counts > 1) < 2:
        return None
    return divide_copies(classes, copies, options.n_folds, options.members.seeds[0])
