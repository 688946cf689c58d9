"""Decide by one factorisation that no linear relation can exist among the columns of a table, as in most tables.

``dependence_search`` looks for a relation of a column j with slopes b of other columns. Write w for the vector with
``w[j] = 1`` and ``-b`` elsewhere, and S for the scatter matrix of m of the n screened rows about their mean. Whatever
the slopes are, the residuals of the relation have a sum of squares over all screened rows of at least ``w' S w``, since
fewer rows and their own mean only lower it. The search accepts a relation only if the variance of its residuals is at
most one of these, where all terms are squares:

- 1e-10 of the variance of column j: at most ``1e-10 sum_i w_i^2 variance_i``,
- floating-point errors of the terms: at most ``(2 e sum_i |w_i| largest_i)^2 <= 4 e^2 D sum_i w_i^2 largest_i^2`` by
  the inequality of Cauchy and Schwarz; the factor 2 stands for the intercept,
- the lenient multiple c of the variance of rounding errors: ``c sum_i w_i^2 step_i^2 / 12``.

So ``w' S w <= w' T w`` for a diagonal T, n times the largest of the three for each column. If ``S - T`` is positive
definite, which Cholesky's factorisation decides, no such w exists: no column depends on any others, in any order.
`Table.explained_deviations` are the roots of T / n. A step is at most the smallest distance between different values,
so no divisor is searched.
"""

import math

import numpy as np

from gaussmix.core.linalg import cholesky, invert_lower
from gaussmix.core.linear_relation import ROUNDING_ERRORS
from gaussmix.core.relation_fit import MAX_COLUMNS, Table
from gaussmix.types import ND, AnyArray, N

_SCREENING_LENIENCY = 4.0  # of the variances that rounding explains
_N_SCREENING_ROWS, _SCREENING_ROWS_PER_COLUMN = 512, 4
_N_FACTORISED_ROWS, _FACTORISED_ROWS_PER_COLUMN = 256, 1.5
_MIN_INFLATION = 8.0  # smallest variance inflation factor of a column that may be dependent
_MIN_SAFE_SCATTER, _MAX_SAFE_SCATTER = 1e-200, 1e200  # no square has overflowed or lost digits between them


def select_screening_rows(rows: AnyArray, weights: N | None) -> Table:
    """Return evenly spaced rows of positive weight, a few hundred or four per column, as a lenient table."""
    n_rows = max(_N_SCREENING_ROWS, _SCREENING_ROWS_PER_COLUMN * min(rows.shape[1], MAX_COLUMNS))
    if weights is None:
        selected = rows[:: max(1, len(rows) // n_rows)]
    else:
        positions = np.flatnonzero(weights > 0)
        selected = rows[positions[:: max(1, len(positions) // n_rows)]]
    return Table.from_rows(np.asarray(selected, dtype=np.float64), _SCREENING_LENIENCY)


def can_have_relations(table: Table) -> bool:
    """Return False if screened rows rule out constant columns and relations in every table that contains them."""
    rows = np.asarray(table.rows)
    if rows.shape[1] <= MAX_COLUMNS:
        return not _exceeds_explained_variances(table) and _has_large_inflation(rows)
    return not table.is_varying.all() or len({column.tobytes() for column in rows.T}) < len(rows.T)


def _exceeds_explained_variances(table: Table) -> bool:
    """Return whether ``S - T`` is positive definite, so that no linear function of the columns is nearly constant."""
    n_rows, n_features = table.rows.shape
    n_factorised = max(_N_FACTORISED_ROWS, int(_FACTORISED_ROWS_PER_COLUMN * n_features))
    part = table.rows if n_rows <= n_factorised else table.rows[np.arange(n_factorised) * n_rows // n_factorised]
    with np.errstate(over="ignore", invalid="ignore"):
        centered = part - part.mean(axis=0)
        scatter = centered.T @ centered
        diagonal = scatter.diagonal()
        if not (diagonal.min() > _MIN_SAFE_SCATTER and diagonal.max() < _MAX_SAFE_SCATTER):
            return False  # a constant column, or an extreme unit
        scatter.flat[:: n_features + 1] -= n_rows * table.explained_deviations**2
    return cholesky(scatter) is not None


def _has_large_inflation(rows: ND) -> bool:
    """Return False if all variance inflation factors of the columns are small: residuals are then too large."""
    n_rows = len(rows)
    if bool((rows == rows[0]).all(axis=0).any()):
        return True
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        exponents = np.frexp(np.abs(rows).max(axis=0))[1]
        scaled = np.ldexp(rows, -exponents)
        centered = scaled - scaled.mean(axis=0)
        norms = np.linalg.norm(centered, axis=0)
        if not float(norms.min()) > ROUNDING_ERRORS * math.sqrt(n_rows):
            return True
        root = cholesky((centered / norms).T @ (centered / norms))
    if root is None:
        return True
    largest = float((invert_lower(root) ** 2).sum(axis=0).max())
    return not largest < _MIN_INFLATION
