"""Mixtures of linearly dependent columns: the columns that score rows, and the relations in words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import DataWarning, DependenceError
from gaussmix.errors.text import format_columns
from gaussmix.model.mixture_parameters import M, MixtureParameters
from gaussmix.transforms import ColumnTransforms
from gaussmix.types import AnyArray


def select_independent_columns(mixture: MixtureParameters, rows: AnyArray) -> AnyArray:
    """Return the columns of transformed rows (n, D) that a mixture scores: all without a dependence.

    DataWarning is issued if a row breaks a relation of the columns.
    """
    dependence = mixture.dependence
    if dependence is None:
        return rows
    messages = describe_broken_relations(mixture, rows)
    if messages:
        warn_user(messages, DataWarning)
    return dependence.select_independent(rows)


def describe_broken_relations(
    mixture: MixtureParameters, rows: AnyArray, file_row_numbers: AnyArray | None = None
) -> str:
    """Return a sentence on the transformed rows (n, D) that break a relation of the columns; empty if none does.

    ``file_row_numbers`` (n,) are what a table calls the rows; without them, they count from 0.
    """
    dependence = mixture.dependence
    if dependence is None:
        return ""
    values = np.asarray(rows, dtype=np.float64)
    is_broken = dependence.broken_rows(values)
    if not is_broken.any():
        return ""
    names = _transformed_column_names(dependence, mixture.feature_names, mixture.transforms)
    texts = [relation.describe(names) for relation in dependence.broken_relations(values)]
    first = int(np.argmax(is_broken))
    first_row = f"row {first}, counted from 0" if file_row_numbers is None else f"data row {file_row_numbers[first]}"
    return str(DataWarning.broken_relations(texts, int(is_broken.sum()), len(values), first_row))


def describe_relations(mixture: MixtureParameters) -> list[str]:
    """Return each linear relation among the transformed columns in words; an empty list without a dependence."""
    dependence = mixture.dependence
    if dependence is None:
        return []
    return dependence.describe(_transformed_column_names(dependence, mixture.feature_names, mixture.transforms))


def _transformed_column_names(
    dependence: ColumnDependence, feature_names: Sequence[str] | None, transforms: ColumnTransforms | None
) -> list[str]:
    """Return the names (D,) of the columns that the relations are about, such as 'log1p(income)'."""
    names = dependence.column_names(feature_names)
    return names if transforms is None else transforms.format_names(names)


def describe_dependence(
    dependence: ColumnDependence | None,
    feature_names: Sequence[str] | None,
    transforms: ColumnTransforms | None = None,
) -> list[str]:
    """Return sentences on the columns that a fit left out, and why; an empty list without a dependence.

    With ``transforms`` the relations are those of the transformed columns.
    """
    if dependence is None:
        return []
    names = _transformed_column_names(dependence, feature_names, transforms)
    constant = [relation.column for relation in dependence.relations if not len(relation.predictors)]
    sentences = [
        f"Columns are linearly dependent, {relation.describe(names)}: the mixture is fitted without "
        f"{format_columns([relation.column], feature_names)}."
        for relation in dependence.relations
        if len(relation.predictors)
    ]
    if constant:
        them = "it" if len(constant) == 1 else "them"
        subject = describe_constant_columns(constant, feature_names)
        sentences = [f"{subject}, and the mixture is fitted without {them}.", *sentences]
    return [*sentences, "Densities are those of the independent columns."]


def describe_constant_columns(columns: Sequence[int], feature_names: Sequence[str] | None) -> str:
    """Return 'Column 0 is constant: it separates no groups', or the same of several columns, without a full stop."""
    predicate = "is constant: it separates" if len(columns) == 1 else "are constant: they separate"
    return f"C{format_columns(columns, feature_names)[1:]} {predicate} no groups"


def require_independent_columns(mixture: MixtureParameters, operation: str) -> None:
    """Raise DependenceError if a mixture has dependent columns, for an operation that needs a regular covariance."""
    if mixture.dependence is not None:
        raise DependenceError.dependent_columns(operation, describe_relations(mixture))


def attach_dependence(mixture: M, dependence: ColumnDependence | None, names: tuple[str, ...] | None) -> M:
    """Return a mixture of the independent columns as that of all columns, whose names are ``names`` (D,)."""
    return mixture if dependence is None else replace(mixture, feature_names=names, dependence=dependence)
