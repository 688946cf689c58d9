"""The tensors of linear relations among columns in model files: one row per dependent column."""

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.linear_relation import LinearRelation
from gaussmix.errors import DamagedModelError
from gaussmix.types import AnyArray

# Positions (r,) of the dependent columns, coefficients (r, D) of all columns, intercepts (r,) and tolerances (r,).
RELATION_TENSORS = ("relation.column", "relation.coefficients", "relation.intercept", "relation.tolerance")


def pack_dependence(dependence: ColumnDependence) -> dict[str, AnyArray]:
    """Return the tensors of a dependence, by name."""
    relations = dependence.relations
    coefficients = np.zeros((len(relations), dependence.n_features))
    for row, relation in zip(coefficients, relations, strict=True):
        row[relation.predictors] = relation.coefficients
    intercepts = np.array([relation.intercept for relation in relations])
    tolerances = np.array([relation.tolerance for relation in relations])
    return dict(zip(RELATION_TENSORS, (dependence.dependent, coefficients, intercepts, tolerances), strict=True))


def unpack_dependence(tensors: dict[str, AnyArray], n_independent_features: int) -> ColumnDependence:
    """Return the dependence that the tensors of a file contain; raise DamagedModelError if they are inconsistent."""
    columns, coefficients, intercepts, tolerances = (tensors[name] for name in RELATION_TENSORS)
    n_relations, n_features = coefficients.shape
    are_shaped = columns.shape == intercepts.shape == tolerances.shape == (n_relations,)
    if not are_shaped or n_features != n_independent_features + n_relations or len(np.unique(columns)) < n_relations:
        raise DamagedModelError.invalid_relations()
    if columns.min() < 0 or columns.max() >= n_features or coefficients[:, columns].any() or (tolerances < 0).any():
        raise DamagedModelError.invalid_relations()
    return ColumnDependence(
        n_features,
        tuple(
            LinearRelation(int(column), np.flatnonzero(row), row[row != 0], float(intercept), float(tolerance))
            for column, row, intercept, tolerance in zip(columns, coefficients, intercepts, tolerances, strict=True)
        ),
    )
