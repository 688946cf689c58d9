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
from gaussmix.classification.families.training_rows import TrainingRows, sample_rows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.shrinkage import Shrinkage, choose_shrinkage, propose_penalty
from gaussmix.classification.table import EncodedRows, TableSchema
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
    """Positions of the encoded columns that a model uses: numeric and categorical ones, ascending.

    ``block`` are the numeric columns that have a full covariance.
    """

    numbers: IntD
    categories: IntD
    block: tuple[int, ...]

    def unused_numbers(self, schema: TableSchema) -> IntD:
        """Return the positions of the other numeric columns."""
        return np.setdiff1d(np.arange(len(schema.numeric)), self.numbers)

    def unused_names(self, schema: TableSchema) -> tuple[str, ...]:
        """Return the names of the columns that are not used."""
        categories = np.setdiff1d(np.arange(len(schema.categorical)), self.categories)
        numbers = self.unused_numbers(schema)
        return (*(schema.numeric[j].name for j in numbers), *(schema.categorical[c].name for c in categories))

    def silent_names(self, schema: TableSchema) -> tuple[str, ...]:
        """Return the names of the columns that are not used, and whose table columns no other encoded column reads."""
        used = {source for j in self.numbers for source in schema.numeric[j].sources}
        used |= {source for c in self.categories for source in schema.categorical[c].sources}
        sources = {column.name: column.sources for column in schema.numeric}
        sources |= {column.name: column.sources for column in schema.categorical}
        return tuple(name for name in self.unused_names(schema) if used.isdisjoint(sources[name]))


class PreparedColumns(NamedTuple):
    """A set of columns, the training rows in it, and the folds of a sample of them.

    ``pieces`` are the rows of the sample in the folds, and ``validate`` returns the cross-validation of a family; None
    without folds.
    """

    columns: ColumnSet
    rows: TrainingRows
    sampled: IntN
    pieces: FoldPieces | None
    validate: Callable[[AnyFamily], CrossValidation] | None


class ChosenColumns(NamedTuple):
    """A set of columns, and the fits, the folds, the specification, and the prior and penalty that are best with it."""

    prepared: PreparedColumns
    fits: AbstractFamilyFits
    validation: CrossValidation | None
    choice: SpecChoice
    shrinkage: Shrinkage


def choose_column_set(labelled: LabelledRows, options: ModelOptions) -> ChosenColumns:
    """Return the columns that say something about the class, or all if these predict unseen rows better.

    Columns are examined one by one, so that some could matter together alone; and columns that correlate little in a
    class may correlate in its components. All sets are therefore tried with the same numbers of components, and with
    twice as many, from one start each. The search begins with the set that is best with few components.
    """
    sampled, pieces = _divide_sample(labelled, options)
    sets = [_prepare(labelled, each, sampled, pieces) for each in _list_column_sets(labelled, options.family)]
    first = sets[0]
    if pieces is None or len(sets) == 1:
        return _choose_spec(first, options)
    first = min(sets[:-1], key=lambda each: _simplest_loss(each, options)) if len(sets) > 2 else first
    chosen = _choose_spec(first, options)
    shrinkage, spec = chosen.shrinkage.with_one_start(), chosen.choice.spec

    def compute_loss(prepared: PreparedColumns) -> float:
        specs = (spec,) if prepared is first else _list_specs(spec, prepared.rows, options)
        return min(_mean_loss(prepared, shrinkage, each) for each in specs)

    best = min(sets, key=compute_loss)
    return chosen if best is first else _choose_spec(best, options)


def _list_column_sets(labelled: LabelledRows, family: AnyFamily) -> list[ColumnSet]:
    """Return the relevant columns for each block of correlated columns, and then all columns, without repetition."""
    schema, encoded, classes, n_classes, weights, _ = labelled
    blocks = family.list_blocks(encoded.numeric, classes, weights)
    every = np.arange(len(schema.numeric))
    categories = find_relevant_categories(encoded.codes, schema.n_levels, classes, n_classes, weights)
    sets = []
    for block in blocks:
        numbers = every
        if family.selects_columns:
            numbers = find_relevant_numbers(encoded.numeric, classes, n_classes, weights, block)
        sets.append(ColumnSet(numbers, np.array(categories, dtype=np.int64), block))
    if sets[-1].unused_names(schema):
        sets.append(ColumnSet(every, np.arange(len(schema.categorical)), blocks[-1]))
    return sets


def _divide_sample(labelled: LabelledRows, options: ModelOptions) -> tuple[IntN, FoldPieces | None]:
    """Return the positions of the rows that are held out in turn, and their folds, if there are any."""
    seed = options.members.seeds[0]
    sampled = sample_rows(len(labelled.classes), MAX_VALIDATION_ROWS, seed)
    return sampled, _divide_rows(labelled.classes[sampled], labelled.copies[sampled], labelled.n_classes, options)


def _prepare(labelled: LabelledRows, columns: ColumnSet, sampled: IntN, pieces: FoldPieces | None) -> PreparedColumns:
    """Return the training rows in some columns, and their folds."""
    rows = _make_rows(labelled, columns)
    validate = None if pieces is None else _make_validate(rows.select_rows(sampled), pieces)
    return PreparedColumns(columns, rows, sampled, pieces, validate)


def _propose_shrinkage(rows: TrainingRows, options: ModelOptions) -> Shrinkage:
    """Return the family with its own prior, and the penalty that is given or proposed."""
    shrinkage = Shrinkage(options.family, options.members)
    if options.has_given_penalty:
        return shrinkage
    return shrinkage.with_penalty(propose_penalty(rows.count_complete()))


def _choose_spec(prepared: PreparedColumns, options: ModelOptions) -> ChosenColumns:
    """Return the specification that is best with some columns, and the prior and penalty that are best with it.

    With these other numbers of components may be best, so that numbers near the first ones are tried again.
    """
    best, validate, request = _propose_shrinkage(prepared.rows, options), prepared.validate, options.request
    fits = best.family.make_fits(prepared.rows)
    if validate is None:
        choice = best.family.choose_spec(fits, request, None, best.members)
        return ChosenColumns(prepared, fits, None, choice, best)
    choice = best.family.choose_spec(fits, request, validate(best.family), best.members)
    first, best = best, choose_shrinkage(best, choice.spec, validate, options.has_given_penalty)
    if best != first:
        fits = best.family.make_fits(prepared.rows)
        choice = best.family.choose_spec(fits, request, validate(best.family), best.members, choice.spec)
    return ChosenColumns(prepared, fits, validate(best.family), choice, best)


def _make_validate(rows: TrainingRows, pieces: FoldPieces) -> Callable[[AnyFamily], CrossValidation]:
    """Return a function that returns the cross-validation of a family on the pieces of rows."""
    divided = rows.divide(pieces.rows, pieces.fractions)
    return cache(lambda family: CrossValidation(divided, pieces.folds, family.make_fits))


def _make_rows(labelled: LabelledRows, columns: ColumnSet) -> TrainingRows:
    """Return the training rows, in which other numeric columns count as missing."""
    schema, encoded, classes, n_classes, weights, _ = labelled
    layout = FeatureLayout(len(schema.numeric), columns.block, tuple(schema.n_levels[c] for c in columns.categories))
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


def _simplest_loss(prepared: PreparedColumns, options: ModelOptions) -> float:
    """Return the cross-validated log-loss with the fewest components, or with those that are given."""
    shrinkage = _propose_shrinkage(prepared.rows, options).with_one_start()
    spec = shrinkage.family.simplest_spec(prepared.rows.n_classes)
    if options.request.n_components is not None:
        spec = spec._replace(n_components=options.request.n_components)
    return _mean_loss(prepared, shrinkage, spec)


def _mean_loss(prepared: PreparedColumns, shrinkage: Shrinkage, spec: MixtureSpec) -> float:
    """Return the cross-validated log-loss of a specification, in nats per row."""
    assert prepared.validate is not None
    validation = prepared.validate(shrinkage.family)
    log_probabilities, rows = validation.predict(spec, shrinkage.members), validation.held_out_rows
    return float(np.average(log_losses(log_probabilities, rows.classes), weights=rows.row_weights))


def _divide_rows(classes: IntN, copies: IntN, n_classes: int, options: ModelOptions) -> FoldPieces | None:
    """Return rows (n,) with numbers of copies (n,) in folds, None if fewer than two classes have two rows."""
    is_needed = options.calibration is not None or options.request.n_components is None or not options.has_given_penalty
    counts = np.bincount(classes, weights=copies, minlength=n_classes)
    if not is_needed or np.count_nonzero(counts > 1) < 2:
        return None
    return divide_copies(classes, copies, options.n_folds, options.members.seeds[0])
