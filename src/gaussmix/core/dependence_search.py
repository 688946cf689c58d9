"""Find constant columns and linear relations among the columns of a table, exact or up to the rounding of its values.

A column is dependent if rounding alone explains its differences from a linear function of earlier columns. Columns are
standardised and entered one by one into a Cholesky factorisation of their correlations; the pivots are the residual
variances. Small pivots are candidates, and a candidate counts only if every row confirms it. It needs one of

- differences at most 1e-5 of the column's scale, far below the variance floor, or
- differences that look like the rounding errors of values on lattices (`find_rounding_step`): of their size in every
  row and of their variance, where these errors are small compared with the column.

Columns that correlate strongly for another reason stay. The last column of a relation is the dependent one.

A few hundred rows decide first whether a search of all rows can find anything: a relation of all rows holds among them.
For most tables one factorisation of their scatter settles it (``dependence_screen``).
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_screen import can_have_relations, select_screening_rows
from gaussmix.core.input_arrays import has_missing_cells
from gaussmix.core.linalg import inverse, invert_lower, solve_lower
from gaussmix.core.linear_relation import LinearRelation
from gaussmix.core.relation_fit import MAX_COLUMNS, MIN_DEGREES_OF_FREEDOM, RelationFit, Table
from gaussmix.types import DD, ND, AnyArray, D, IntD, N

_MAX_CANDIDATE_PIVOT = 0.05  # residual variance of a candidate relative to that of the column
_MIN_PIVOT = 1e-15
_BLOCK_ROWS = 65_536
# A relation has as few predictors as possible: those of a standardised coefficient above a fraction of the largest.
_PREDICTOR_FRACTIONS = (0.3, 0.03, 1e-3, 1e-5)


def find_column_dependence(rows: AnyArray, weights: N | None = None) -> ColumnDependence | None:
    """Return the linear relations among the columns of rows (n, D); None if there are none.

    Rows of weight zero do not count. With more than 512 columns, only constant and equal ones are found. The result is
    None if no column varies, and unless there are more distinct rows than columns: few rows always lie in a plane.
    Rows with missing cells, NaN, do not count.
    """
    if has_missing_cells(rows):
        is_complete = ~np.isnan(rows).any(axis=1)
        rows, weights = rows[is_complete], None if weights is None else weights[is_complete]
    if rows.shape[1] < 2 or len(rows) <= rows.shape[1] or (weights is not None and not weights.any()):
        return None
    with limit_blas_threads(rows.shape[1]):
        screened = select_screening_rows(rows, weights)
        if not can_have_relations(screened) or not _find_relations(screened):
            return None
        table = Table.from_rows(rows if weights is None else rows[weights > 0])
        if table.n_distinct_rows <= table.rows.shape[1]:
            return None
        relations = _find_relations(table)
    return ColumnDependence(rows.shape[1], relations) if 0 < len(relations) < rows.shape[1] else None


def _find_relations(table: Table) -> tuple[LinearRelation, ...]:
    """Return the relations among the columns of a table, sorted by the dependent column."""
    constants = [table.constant_relation(int(j)) for j in np.flatnonzero(~table.is_varying)]
    varying = np.flatnonzero(table.is_varying)
    if not len(varying):
        return tuple(constants)
    search = _find_equal_columns if table.rows.shape[1] > MAX_COLUMNS else _find_linear_relations
    return tuple(sorted([*constants, *search(table, varying)], key=lambda relation: relation.column))


def _find_equal_columns(table: Table, varying: IntD) -> list[LinearRelation]:
    """Return a relation for each varying column that equals an earlier one."""
    first_of_content: dict[bytes, int] = {}
    relations = []
    for j in varying.tolist():
        first = first_of_content.setdefault(table.column(j).tobytes(), j)
        if first != j:
            relations.append(LinearRelation(j, np.array([first]), np.ones(1), 0.0, 0.0))
    return relations


@dataclass(frozen=True, eq=False)
class _StandardizedColumns:
    """Correlations (d, d) of the varying columns, their standard deviations (d,) and positions (d,) in the table."""

    correlations: DD
    deviations: D
    positions: IntD

    @classmethod
    def from_table(cls, table: Table, positions: IntD) -> "_StandardizedColumns":
        """Return the correlations of some columns; a power of two scales each, so that no square overflows."""
        exponents = np.frexp(table.largest[positions])[1]
        blocks = [table.rows[start : start + _BLOCK_ROWS] for start in range(0, len(table.rows), _BLOCK_ROWS)]

        def scale_block(block: AnyArray) -> ND:
            return np.ldexp(np.asarray(block[:, positions], dtype=np.float64), -exponents)

        mean = sum(scale_block(block).sum(axis=0) for block in blocks) / len(table.rows)
        scatter = np.zeros((len(positions), len(positions)))
        for block in blocks:
            centered = scale_block(block) - mean
            scatter += centered.T @ centered
        norms = np.sqrt(np.diag(scatter))
        norms = np.where(norms > 0, norms, 1.0)
        deviations = np.ldexp(norms / np.sqrt(len(table.rows)), exponents)
        return cls(scatter / np.outer(norms, norms), deviations, positions)


def _find_linear_relations(table: Table, varying: IntD) -> list[LinearRelation]:
    """Return a relation for each varying column that is a linear function of earlier independent columns."""
    columns = _StandardizedColumns.from_table(table, varying)
    correlations = columns.correlations
    root, kept, relations = np.zeros_like(correlations), [0], []
    root[0, 0] = 1.0
    for j in range(1, len(varying)):
        n_kept = len(kept)
        products = solve_lower(root[:n_kept, :n_kept], correlations[kept, j])
        pivot = float(correlations[j, j] - products @ products)
        relation = None
        if pivot < _MAX_CANDIDATE_PIVOT:
            standardized = invert_lower(root[:n_kept, :n_kept]).T @ products
            relation = _find_shortest_relation(table, columns, np.array(kept), j, standardized)
        if relation is None:
            root[n_kept, :n_kept], root[n_kept, n_kept] = products, np.sqrt(max(pivot, _MIN_PIVOT))
            kept.append(j)
        else:
            relations.append(relation)
    return relations


def _find_shortest_relation(
    table: Table, columns: _StandardizedColumns, kept: IntD, j: int, standardized: D
) -> LinearRelation | None:
    """Return the relation of column j with the fewest predictors among the kept columns; None if no row set fits.

    ``standardized`` are the coefficients of all kept columns, in standard deviations.
    """
    sizes, n_tried = np.abs(standardized), 0
    for fraction in _PREDICTOR_FRACTIONS:
        chosen = kept[sizes > fraction * sizes.max()]
        if len(chosen) == n_tried:
            continue
        n_tried = len(chosen)
        if table.n_distinct_rows < n_tried + 1 + MIN_DEGREES_OF_FREEDOM:
            return None
        precision = inverse(columns.correlations[np.ix_(chosen, chosen)])
        if precision is None:
            return None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            ratios = columns.deviations[j] / columns.deviations[chosen]
            slopes = (precision @ columns.correlations[chosen, j]) * ratios
        if np.isfinite(slopes).all():
            fit = RelationFit(table, int(columns.positions[j]), columns.positions[chosen], slopes)
            relation = fit.find_confirmed_relation()
            if relation is not None:
                return relation
    return None
