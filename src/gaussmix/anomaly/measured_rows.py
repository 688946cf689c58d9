"""``MeasuredRows``: rows in the data's units and in working coordinates, and which linear relations they break."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.deviations import GroupShapes
from gaussmix.anomaly.number_text import format_own_value
from gaussmix.anomaly.value_grids import ValueGrids
from gaussmix.core.input_arrays import column_names, parse_rows
from gaussmix.core.linear_relation import LinearRelation
from gaussmix.errors import DataError
from gaussmix.errors.text import join_with_and
from gaussmix.model import Mixture
from gaussmix.model.validation import parse_feature_names
from gaussmix.types import ND, ArrayLike, BoolN, IntArray, IntN

_MAX_DEVIATIONS = 1e100  # of a column in the whole mixture: squares of larger ones overflow


@dataclass(frozen=True)
class MeasuredRows:
    """n rows of D columns, d of them linearly independent.

    Attributes
    ----------
    whole : Mixture
        The groups, in all columns.
    mixture : Mixture
        The groups, in the independent columns.
    values : ndarray of shape (n, D)
        In the data's units.
    points : ndarray of shape (n, d)
        Independent columns in working coordinates. A value beyond 1e100 standard deviations counts as that far.
    grids : ValueGrids
        Which values the columns can have.
    names : tuple of str
        Names (D,) of all columns.
    independent_names : tuple of str
    relations : tuple of LinearRelation
        Relations among the transformed columns that all training rows keep.
    relation_names : tuple of str
        The relations in words.
    relation_signs : ndarray of int of shape (n, n_relations)
        1 if the dependent column is larger than the relation allows, -1 if it is smaller, 0 if the relation holds.
    relation_texts : tuple of str
        For each row the relations that it breaks, in words; empty if there are none.
    """

    whole: Mixture
    mixture: Mixture
    values: ND
    points: ND
    grids: ValueGrids
    names: tuple[str, ...]
    independent_names: tuple[str, ...]
    relations: tuple[LinearRelation, ...]
    relation_names: tuple[str, ...]
    relation_signs: IntArray
    relation_texts: tuple[str, ...]

    @classmethod
    def from_rows(
        cls,
        mixture: Mixture,
        rows: ArrayLike,
        names: Sequence[str] | None = None,
        grids: ValueGrids | None = None,
    ) -> "MeasuredRows":
        """Return the rows (n, D) of a table; ``names`` (D,) replace those of the mixture."""
        values = parse_rows(rows, mixture.n_features, mixture.feature_names)
        if not len(values):
            raise DataError.no_rows()
        known = parse_feature_names(names, mixture.n_features) or mixture.feature_names or column_names(rows)
        full = tuple(map(str, known or (f"column {j}" for j in range(mixture.n_features))))
        grids = ValueGrids.continuous(mixture.n_features) if grids is None else grids
        transformed = mixture.transform_rows(values)
        relations = () if mixture.dependence is None else mixture.dependence.relations
        signs = _find_relation_signs(relations, transformed)
        shown = full if mixture.transforms is None else tuple(mixture.transforms.format_names(full))
        columns = mixture.independent_columns
        return cls(
            whole=mixture,
            mixture=mixture.independent_part,
            values=values,
            points=_to_points(mixture, mixture.transform_rows(grids.encode(values)) if grids.codes else transformed),
            grids=grids,
            names=full,
            independent_names=tuple(full[j] for j in columns),
            relations=relations,
            relation_names=tuple(relation.describe(shown) for relation in relations),
            relation_signs=signs,
            relation_texts=tuple(
                _describe_breaks(relations, signs[i], transformed[i], shown) for i in range(len(values))
            ),
        )

    @property
    def breaks_relation(self) -> BoolN:
        """Whether each row breaks a relation, (n,)."""
        return np.asarray((self.relation_signs != 0).any(axis=1))

    @property
    def is_dependent(self) -> BoolN:
        """Whether a relation gives each column, (D,)."""
        return np.isin(np.arange(len(self.names)), [relation.column for relation in self.relations])

    @property
    def independent_columns(self) -> IntN:
        """Positions (d,) of the independent columns."""
        return np.flatnonzero(~self.is_dependent)

    def to_points(self, values: ND) -> ND:
        """Return rows (m, D) in the data's units as points (m, d) in working coordinates."""
        return _to_points(self.whole, self.whole.transform_rows(self.grids.encode(values)))

    @property
    def independent_values(self) -> ND:
        """Values of the independent columns, (n, d), in the data's units."""
        return self.values[:, ~self.is_dependent]

    def to_data_units(self, points: ND) -> ND:
        """Return points (n, d) in working coordinates as values of the independent columns."""
        return self._restore(points)[:, self.independent_columns]

    def _restore(self, points: ND) -> ND:
        """Return points (n, d) as rows (n, D), of which flags and codes have values that occur."""
        restored = self.grids.decode(self.whole.restore_points(points))
        for relation in self.relations if self.grids.codes else ():  # detectors, which have codes, transform nothing
            restored[:, relation.column] = relation.predict(restored)
        return restored

    def restore_rows(self, points: ND, rows: IntN) -> ND:
        """Return points (m, d) that ``rows`` (m,) become, as rows (m, D); a column that does not change keeps its bits.

        A dependent column changes if its relation is broken or one of its predictors changes.
        """
        restored = self._restore(points)
        is_kept = np.zeros(restored.shape, dtype=bool)
        is_kept[:, self.whole.independent_columns] = points == self.points[rows]
        for relation, signs in zip(self.relations, self.relation_signs[rows].T, strict=True):
            is_kept[:, relation.column] = (signs == 0) & is_kept[:, relation.predictors].all(axis=1)
        return np.where(is_kept, self.values[rows], restored)

    def half_widths(self, points: ND, deviations: ND) -> ND:
        """Return standard deviations (n, d) about points in data's units; half the width of the interval they span."""
        if self.mixture.transforms is None:
            return np.asarray(np.ldexp(deviations, -self.mixture.frame.total_exponent))
        high, low = (self.mixture.restore_points(points + sign * deviations) for sign in (1.0, -1.0))
        return np.asarray(0.5 * (high - low))


def _to_points(mixture: Mixture, transformed: ND) -> ND:
    """Return transformed rows (n, D) as points (n, d), within 1e100 deviations of the whole mixture."""
    part = mixture.independent_part
    shapes = GroupShapes.from_mixture(part)
    center = part.weights @ shapes.centers / part.weights.sum()
    room = _MAX_DEVIATIONS * shapes.overall_deviations(part.weights)
    with np.errstate(over="ignore"):
        points = mixture.frame.transform_rows(transformed[:, mixture.independent_columns])
    return np.asarray(np.clip(points, center - room, center + room))


def _find_relation_signs(relations: Sequence[LinearRelation], rows: ND) -> IntArray:
    """Return the signs (n, n_relations) of the relations' errors in transformed rows (n, D); 0 within rounding."""
    signs = np.zeros((len(rows), len(relations)), dtype=np.int64)
    for i, relation in enumerate(relations):
        is_above = rows[:, relation.column] > relation.predict(rows)
        signs[:, i] = np.where(is_above, 1, -1) * relation.broken_rows(rows)
    return signs


def _describe_breaks(relations: Sequence[LinearRelation], signs: IntArray, row: ND, names: Sequence[str]) -> str:
    """Return a clause on the relations that one transformed row (D,) breaks; empty for none."""
    clauses = [
        _describe_break(relation, row, names) for relation, sign in zip(relations, signs, strict=True) if sign != 0
    ]
    return join_with_and(clauses) if clauses else ""


def _describe_break(relation: LinearRelation, row: ND, names: Sequence[str]) -> str:
    """Return 'a is 3, but 1 in every training row', or 'a is 3 and not 2, although a = b + c'."""
    actual, expected = float(row[relation.column]), float(relation.predict(row[None])[0])
    value, other = (format_own_value(number, abs(actual - expected)) for number in (actual, expected))
    if not len(relation.predictors):
        return f"{names[relation.column]} is {value}, but {other} in every training row"
    return f"{names[relation.column]} is {value} and not {other}, although {relation.describe(names)}"
