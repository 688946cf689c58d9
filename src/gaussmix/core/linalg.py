"""Linear algebra: the only module that factorises matrices.

Functions take one matrix or a stack. A factorisation that fails returns None or a mask; nothing is repaired silently.
"""

from functools import lru_cache

import numpy as np
from scipy.linalg import eigh, helmert, solve_triangular
from scipy.linalg.lapack import dpotrf, dtrtri

from gaussmix.core.factorizations import (
    CayleyTransform,
    Eigenpairs,
    LeftSingularVectors,
    PrincipalAxes,
    StackedCholesky,
)
from gaussmix.types import DD, KDD, ND, Array, BoolK, D, IntD, K

_MAX_COLUMNS_FOR_STACKED_CALL = 64  # for more columns, one call of LAPACK per matrix is faster than NumPy's
_RELATIVE_SINGULAR_TOLERANCE = 1e-12  # smaller singular values, relative to the largest, are rounding
_MIN_MATRICES_PER_COLUMN = 32  # larger stacks are inverted row by row, all matrices at once


def cholesky(matrix: DD) -> DD | None:
    """Return the lower factor L with L L^T = matrix, or None if the matrix is not positive definite."""
    factor: DD = _cholesky_one_by_one(matrix[None])[0]
    return factor if np.isfinite(factor).all() else None


def inverse(matrix: DD) -> DD | None:
    """Return the inverse of a square matrix, or None if it is singular."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return None


def cholesky_stack(matrices: KDD) -> StackedCholesky:
    """Return the lower factors (K, D, D) of a stack, and which matrices are not positive definite, (K,).

    The factor of a matrix that is not positive definite is the identity.
    """
    factors = _cholesky_in_one_call(matrices) if matrices.shape[1] <= _MAX_COLUMNS_FOR_STACKED_CALL else None
    if factors is None:
        factors = _cholesky_one_by_one(matrices)
    has_failed = ~np.isfinite(np.einsum("kii->ki", factors)).all(axis=1)
    if has_failed.any():
        factors[has_failed] = np.eye(matrices.shape[1])
    return StackedCholesky(factors, has_failed)


def _cholesky_in_one_call(matrices: KDD) -> KDD | None:
    """Return the lower factors of a stack, or None if one matrix is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrices))
    except np.linalg.LinAlgError:  # the exception does not say which matrix failed
        return None


def _cholesky_one_by_one(matrices: KDD) -> KDD:
    """Return the lower factors of a stack, computed by LAPACK in place; NaN where it failed."""
    factors = np.array(matrices, dtype=np.float64, order="C")
    for factor in factors:
        if dpotrf(factor.T, lower=0, clean=1, overwrite_a=1)[1] != 0:
            factor[:] = np.nan
    return factors


def is_above_floor(matrices: KDD, floor: D) -> BoolK:
    """Return whether matrix - diag(floor) is positive definite, for each matrix of a stack (one Cholesky each)."""
    return ~cholesky_stack(matrices - np.diag(floor)).has_failed


def triangular_inverse_transposes(factors: KDD) -> KDD:
    """Return L^-T of a stack of lower triangular factors without zeros on the diagonal: roots of the precisions."""
    n_matrices, n_features = factors.shape[:2]
    if n_matrices > _MIN_MATRICES_PER_COLUMN * n_features:
        return _triangular_inverse_transposes_by_rows(factors)
    inverses = np.array(np.swapaxes(factors, 1, 2), dtype=np.float64, order="C")
    for inverse in inverses:
        dtrtri(inverse.T, lower=1, overwrite_c=1)
    return inverses


def _triangular_inverse_transposes_by_rows(factors: KDD) -> KDD:
    """Return L^-T by forward substitution, one row of all inverses at a time."""
    rows = np.zeros(factors.shape)
    pivots = 1.0 / np.einsum("kii->ki", factors)
    np.einsum("kii->ki", rows)[:] = pivots
    for i in range(1, factors.shape[1]):
        rows[:, i, :i] = np.matmul(factors[:, i : i + 1, :i], rows[:, :i, :i])[:, 0] * -pivots[:, i, None]
    return np.ascontiguousarray(np.swapaxes(rows, 1, 2))


def log_determinants_from_factors(factors: KDD) -> K:
    """Return log |L L^T| for each L of a stack of triangular factors with positive diagonals, (K,)."""
    return np.asarray(2.0 * np.log(np.einsum("kii->ki", factors)).sum(axis=1))


def invert_lower(factor: DD) -> DD:
    """Return the inverse of a lower triangular matrix; raise ValueError if its diagonal contains a zero."""
    inverse, info = dtrtri(factor, lower=1)
    if info != 0:
        raise ValueError(f"a triangular factor has a zero or invalid pivot (LAPACK info {info})")
    return np.ascontiguousarray(np.tril(inverse))


def precision_root(matrix: DD) -> DD | None:
    """Return upper triangular R, R R^T = matrix^-1, or None if that fails; few columns take LAPACK microseconds."""
    factor, has_failed = dpotrf(matrix, lower=0, clean=1)
    return None if has_failed else np.asarray(dtrtri(factor, lower=0)[0])


def solve_lower(factor: DD, columns: Array) -> Array:
    """Return L^-1 columns, (D, n), for a lower triangular L and columns (D, n)."""
    return np.asarray(solve_triangular(factor, columns, lower=True, check_finite=False))


def qr_triangles(matrices: Array) -> Array:
    """Return the triangles (..., D, D) of QR decompositions of a stack, with diagonals that are not negative."""
    triangles = np.asarray(np.linalg.qr(matrices, mode="r"))
    return triangles * np.where(np.diagonal(triangles, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None]


def precision_condition_numbers(roots: KDD) -> K:
    """Return the condition number of the precision root root^T, for each root of a stack (K, D, D)."""
    return np.asarray(np.linalg.cond(roots) ** 2)


def marginal_precision_roots(roots: KDD, columns: IntD) -> KDD:
    """Return the precision roots (K, d, d) of the covariances of some columns; a root of zeros gives zeros.

    The rows of the covariance factor R^-T that belong to the columns are F with F F^T = covariance of the columns.
    The triangle of their QR decomposition is the Cholesky factor of that covariance.
    """
    is_zero = np.asarray((roots == 0).all(axis=(1, 2)))
    safe = np.where(is_zero[:, None, None], np.eye(roots.shape[1]), roots)
    factors = np.linalg.inv(safe)[:, :, columns]  # columns of R^-1 are rows of R^-T
    triangles = np.linalg.qr(factors, mode="r")
    return np.where(is_zero[:, None, None], 0.0, np.linalg.inv(triangles))


def log_determinant_from_factor(factor: DD) -> float:
    """Return log |L L^T| of a triangular factor."""
    return float(2.0 * np.log(np.abs(np.diagonal(factor))).sum())


def symmetric_log_determinants(matrices: KDD) -> K:
    """Return log |matrix| of a stack of symmetric matrices; minus infinity if one is not positive definite."""
    signs, logs = np.linalg.slogdet(matrices)
    return np.where(signs > 0, logs, -np.inf)


def principal_axes(centered_rows: ND) -> PrincipalAxes:
    """Return the singular values of centred rows (n, D), descending, and the right singular vectors, one per row."""
    _, singular, axes = np.linalg.svd(centered_rows, full_matrices=False)
    return PrincipalAxes(np.asarray(singular), np.asarray(axes))


def upper_cholesky(precision: DD) -> DD | None:
    """Return the upper triangular U with U U^T = precision, or None if it is not positive definite."""
    factor = cholesky(precision[::-1, ::-1])
    return None if factor is None else np.ascontiguousarray(factor[::-1, ::-1])


def upper_cholesky_stack(matrices: KDD) -> KDD:
    """Return `upper_cholesky` of a stack of positive definite matrices.

    Raises LinAlgError if one is not positive definite.
    """
    return np.asarray(np.linalg.cholesky(matrices[:, ::-1, ::-1])[:, ::-1, ::-1], dtype=np.float64)


def general_inverse_transposes(matrices: KDD) -> KDD | None:
    """Return A^-T of a stack of square matrices, or None if one is singular."""
    try:
        return np.asarray(np.swapaxes(np.linalg.inv(matrices), 1, 2))
    except np.linalg.LinAlgError:
        return None


def solve_common_columns(matrices: KDD, columns: Array) -> Array:
    """Return A_k^-1 columns for every matrix of a stack and the same columns (D, n)."""
    return np.asarray(np.linalg.solve(matrices, np.broadcast_to(columns, (len(matrices), *columns.shape))))


def to_upper_triangular_roots(roots: KDD) -> KDD:
    """Return the upper triangular U with positive diagonals and U U^T = root root^T, for any square roots."""
    reduced = np.linalg.qr(np.swapaxes(roots[:, ::-1], 1, 2), mode="r")
    upper = np.swapaxes(reduced, 1, 2)[:, ::-1, ::-1]
    return np.asarray(upper * np.where(np.einsum("kii->ki", upper) < 0, -1.0, 1.0)[:, None, :])


def solve_vectors(matrices: Array, vectors: Array) -> Array:
    """Return matrices[i]^-1 vectors[i] for a stack of matrices (..., q, q) and vectors (..., q)."""
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])


def inverses(matrices: Array) -> Array:
    """Return the inverses (..., q, q) of a stack of matrices; raise LinAlgError if one is singular."""
    return np.asarray(np.linalg.inv(matrices))


def eigh_descending(matrices: KDD) -> Eigenpairs:
    """Return eigenvalues, descending, and eigenvectors (in columns) of a stack of symmetric matrices."""
    values, vectors = np.linalg.eigh(matrices)
    return Eigenpairs(values[..., ::-1], vectors[..., ::-1])


def left_singular_vectors(matrices: Array) -> LeftSingularVectors:
    """Return left singular vectors and singular values, descending, of matrices (..., D, q) with q <= D."""
    axes, lengths, _ = np.linalg.svd(matrices, full_matrices=False)
    return LeftSingularVectors(np.asarray(axes), np.asarray(lengths))


def largest_eigenpairs(matrix: DD, count: int) -> Eigenpairs:
    """Return the ``count`` largest eigenvalues, descending, and eigenvectors (D, count) of a symmetric matrix."""
    size = len(matrix)
    if size > _MAX_COLUMNS_FOR_STACKED_CALL:
        values, vectors = eigh(matrix, subset_by_index=(size - count, size - 1), check_finite=False)
        if len(values) == count:  # LAPACK can lose some of many equal eigenvalues, as those of a matrix of low rank
            return Eigenpairs(np.asarray(values[::-1]), np.asarray(vectors[:, ::-1]))
    values, vectors = eigh_descending(matrix)
    return Eigenpairs(values[:count], vectors[:, :count])


def row_space_coordinates(rows: ND) -> ND:
    """Return coordinates (n, n) of rows (n, D), D >= n, in an orthonormal basis of the space that they span."""
    return np.asarray(np.linalg.qr(rows.T, mode="r")).T


def orthonormal_basis(columns: Array) -> Array:
    """Return an orthonormal basis (D, m) of the span of columns (D, m)."""
    return np.asarray(np.linalg.qr(columns)[0])


@lru_cache(maxsize=64)
def helmert_contrasts(n_columns: int) -> Array:
    """Return orthonormal rows (n - 1, n) that each add up to zero (Helmert's contrasts); read-only."""
    contrasts: Array = np.array(helmert(n_columns)) if n_columns > 1 else np.zeros((0, 1))
    contrasts.flags.writeable = False
    return contrasts


def cayley_transform(skew: KDD) -> CayleyTransform:
    """Return the rotations (I - W)(I + W)^-1 of skew matrices W, and (I + W)^-1."""
    eye = np.eye(skew.shape[1])
    inner = np.linalg.inv(eye + skew)
    return CayleyTransform(np.asarray((eye - skew) @ inner), np.asarray(inner))


def inverse_cayley_transform(rotations: KDD) -> KDD:
    """Return the skew matrices W of rotations (I - W)(I + W)^-1.

    A reflection becomes a rotation by a sign change of the axis with the smallest diagonal entry.
    """
    eye, proper_rotations = np.eye(rotations.shape[1]), rotations.copy()
    for rotation in proper_rotations:
        if np.linalg.det(rotation) < 0:
            rotation[:, np.argmin(np.abs(np.diagonal(rotation)))] *= -1.0
    return np.asarray((eye - proper_rotations) @ np.linalg.inv(eye + proper_rotations))


def procrustes_rotations(cross_products: Array) -> Array:
    """Return the orthogonal matrices Q (K, q, q) for which A Q is nearest to B, from A^T B (Procrustes)."""
    left, _, right = np.linalg.svd(cross_products)
    return np.asarray(left @ right)


def norm_limited_least_squares(columns: Array, target: Array, squared_norm_fraction: float) -> Array:
    """Return the g (m,) that minimises |target - columns g| for a given length.

    The squared length of g is ``squared_norm_fraction`` times that of the unconstrained minimiser. It is the solution
    of a ridge regression, whose penalty is found by a search in its logarithm.
    """
    axes, lengths, right_vectors = np.linalg.svd(columns, full_matrices=False)
    is_kept = lengths > _RELATIVE_SINGULAR_TOLERANCE * lengths.max(initial=0.0)
    axes, lengths, right_vectors = axes[:, is_kept], lengths[is_kept], right_vectors[is_kept]
    if not len(lengths):
        return np.zeros(columns.shape[1])
    # In units near 1: squares of lengths below 1e-154 would be zero. Powers of two do not round.
    exponent = -int(np.frexp(lengths[0])[1])
    lengths, projections = np.ldexp(lengths, exponent), np.ldexp(axes.T @ target, exponent)
    from scipy.optimize import brentq  # slow to import

    def excess(log_penalty: float) -> float:
        solution = lengths * projections / (lengths**2 + np.exp(log_penalty))
        unconstrained = projections / lengths
        return float((solution @ solution) - squared_norm_fraction * (unconstrained @ unconstrained))

    low, high = 2.0 * np.log(lengths[-1]) - 40.0, 2.0 * np.log(lengths[0]) + 40.0
    penalty = np.exp(brentq(excess, low, high, xtol=1e-3)) if excess(low) > 0 > excess(high) else 0.0
    return np.asarray(right_vectors.T @ (lengths * projections / (lengths**2 + penalty)))


def weighted_outer_sum(vectors: Array, weights: K) -> DD:
    """Return sum_k weights[k] vectors[k] vectors[k]^T."""
    return np.asarray((vectors * weights[:, None]).T @ vectors)
