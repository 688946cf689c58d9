"""``ColumnDependence``: the linear relations among the columns of a table, and the map from its independent columns.

A table with shares that add up to 1, with parts and their total or with a constant lies in a plane. A covariance there
is singular, so a mixture is fitted to the independent columns. The relations then give means, covariances and samples
of all columns: rows are ``offsets + independent @ loadings.T``. Densities are those of the independent columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core.linear_relation import LinearRelation
from gaussmix.types import KD, KDD, ND, AnyArray, BoolN, D, IntD


@dataclass(frozen=True, eq=False)
class ColumnDependence:
    """The relations among ``n_features`` columns; every predictor of a relation is an independent column."""

    n_features: int
    relations: tuple[LinearRelation, ...]

    @cached_property
    def dependent(self) -> IntD:
        """Positions of the dependent columns."""
        return np.array([relation.column for relation in self.relations], dtype=np.int64)

    @cached_property
    def independent(self) -> IntD:
        """Positions (d,) of the other columns, ascending."""
        return np.setdiff1d(np.arange(self.n_features), self.dependent)

    @cached_property
    def loadings(self) -> ND:
        """The change of each column per unit of each independent column, (D, d)."""
        positions = np.full(self.n_features, -1)
        positions[self.independent] = np.arange(len(self.independent))
        loadings = np.zeros((self.n_features, len(self.independent)))
        loadings[self.independent, np.arange(len(self.independent))] = 1.0
        for relation in self.relations:
            loadings[relation.column, positions[relation.predictors]] = relation.coefficients
        return loadings

    @cached_property
    def offsets(self) -> D:
        """The value of each column where all independent columns are 0, (D,)."""
        offsets = np.zeros(self.n_features)
        offsets[self.dependent] = [relation.intercept for relation in self.relations]
        return offsets

    def select_independent(self, rows: AnyArray) -> AnyArray:
        """Return the independent columns (n, d) of rows (n, D)."""
        return rows[:, self.independent]

    def select_names(self, names: Sequence[str] | None) -> tuple[str, ...] | None:
        """Return the names (d,) of the independent columns; None for None."""
        return None if names is None else tuple(names[j] for j in self.independent)

    def expand_rows(self, rows: ND) -> ND:
        """Return all columns (n, D) of rows (n, d) of the independent ones."""
        expanded = self.offsets + rows @ self.loadings.T
        expanded[:, self.independent] = rows  # products with zero would turn huge values into NaN
        return np.asarray(expanded)

    def expand_covariances(self, covariances: KDD) -> KDD:
        """Return singular covariances (K, D, D) of all columns, from those (K, d, d) of the independent ones."""
        return np.asarray(self.loadings @ covariances @ self.loadings.T)

    def expand_standard_deviations(self, deviations: KD, correlations: KDD) -> KD:
        """Return deviations (K, D) from deviations (K, d) and correlations (K, d, d) of the independent columns."""
        expanded = np.empty((len(deviations), self.n_features))
        expanded[:, self.independent] = deviations
        for column in self.dependent:
            scaled = self.loadings[column] * deviations
            size = np.abs(scaled).max(axis=1, initial=0.0)
            unit = scaled / np.where(size > 0, size, 1.0)[:, None]
            expanded[:, column] = size * np.sqrt(np.maximum(np.einsum("ki,kij,kj->k", unit, correlations, unit), 0.0))
        return expanded

    def pad_with_zeros(self, arrays: AnyArray, axes: tuple[int, ...]) -> AnyArray:
        """Return arrays whose ``axes`` of length d become of length D, with zeros at the dependent columns."""
        for axis in axes:
            shape = list(arrays.shape)
            shape[axis] = self.n_features
            padded = np.zeros(shape, dtype=arrays.dtype)
            np.moveaxis(padded, axis, 0)[self.independent] = np.moveaxis(arrays, axis, 0)
            arrays = padded
        return arrays

    def broken_rows(self, rows: ND) -> BoolN:
        """Return which rows (n, D) break at least one relation."""
        return np.asarray(np.any([relation.broken_rows(rows) for relation in self.relations], axis=0))

    def broken_relations(self, rows: ND) -> list[LinearRelation]:
        """Return the relations that at least one of the rows (n, D) breaks."""
        return [relation for relation in self.relations if relation.broken_rows(rows).any()]

    def describe(self, names: Sequence[str] | None) -> list[str]:
        """Return each relation in words, such as 'total = day + night'; ``names`` (D,) are those of the columns."""
        return [relation.describe(self.column_names(names)) for relation in self.relations]

    def column_names(self, names: Sequence[str] | None) -> list[str]:
        """Return the names (D,) of all columns, or 'column 0', 'column 1', ... for None."""
        return [f"column {j}" for j in range(self.n_features)] if names is None else [str(name) for name in names]
