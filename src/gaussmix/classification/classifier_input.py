"""Tables that a classifier reads, scikit-learn's attributes of them, and sentences on a fit."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _check_n_features

from gaussmix.classification.column_sets import ModelOptions
from gaussmix.classification.families.spec_choice import ChoiceContext
from gaussmix.classification.model_fit import ModelFit
from gaussmix.classification.table.input_table import InputTable, read_input_table
from gaussmix.errors.text import join_with_and
from gaussmix.types import AnyArray


class ReadTable(NamedTuple):
    """A table as the user gave it, and as it was read."""

    cells: Any
    columns: InputTable

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.columns.n_rows


def read_table(X: Any, classifier: Any, is_fitting: bool) -> ReadTable:
    """Return a table; for a fitted classifier an array must have as many columns as in the fit."""
    table = read_input_table(X)
    if not is_fitting and not table.has_names:
        _check_n_features(classifier, np.empty((1, len(table.columns))), reset=False)
    return ReadTable(X, table)


def set_input_attributes(classifier: Any, table: ReadTable) -> None:
    """Set ``n_features_in_``, and ``feature_names_in_`` if the columns have names."""
    classifier.n_features_in_ = len(table.columns.columns)
    if table.columns.has_names:
        classifier.feature_names_in_ = np.array([column.name for column in table.columns.columns], dtype=object)
    elif hasattr(classifier, "feature_names_in_"):
        del classifier.feature_names_in_


def describe_fit(fitted: ModelFit, classes: AnyArray, options: ModelOptions) -> tuple[str, ...]:
    """Return sentences on what a fit merged, left out, transformed and chose, and on what it lacks."""
    model = fitted.model
    notes = list(model.schema.notes)
    if fitted.unused_columns:
        unused = [repr(name) for name in fitted.unused_columns]
        hardly, are = ("hardly tells", "is") if len(unused) == 1 else ("hardly tell", "are")
        notes.append(
            f"{join_with_and(unused)} {hardly} the classes apart and {are} left out (Akaike information criterion)."
        )
    names = tuple(column.name for column in model.schema.numeric)
    context = ChoiceContext(classes, fitted.class_weights, names, model.layout)
    notes.extend(options.family.describe_choice(fitted.choice, context))
    if fitted.refinement is not None and not options.has_given_penalty:
        notes.append(f"Penalty of the refinement: {fitted.refinement.penalty:g}.")
    if options.calibration is not None and fitted.held_out is None:
        notes.append("The probabilities are not calibrated: fewer than two classes have two rows.")
    return tuple(notes)
