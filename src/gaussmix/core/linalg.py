"""The one place that factorises a matrix: Cholesky with an honest failure, triangular inverse, clipping.

Everything here works on one d x d matrix or a stack of them and never repairs silently: a
factorisation that fails is a value (``None``), and a clipped eigenvalue is reported.
"""

from functools import lru_cache

import numpy as np
from scipy.linalg import eigh, helmert, solve_triangular
from scipy.linalg.lapack import dpotrf, dtrtri
from scipy.optimize import brentq

from gaussmix.types import DD, KDD, ND, Array, BoolK, D, IntD, K

_MAX_COLUMNS_FOR_STACKED_CALL = (
    64  # up to this size NumPy's one call for a stack is faster than one of LAPACK per matrix
)
_RELATIVE_SINGULAR_TOLERANCE = 1e-12  # of the largest singular value: a direction that is rounding
_MIN_MATRICES_PER_COLUMN = 32  # so many more matrices than columns are inverted row by row, all of them at once


def cholesky(matrix: DD) -> DD | None:
    """Lower factor L with L L^T = matrix, or None where the matrix is not positive definite."""
    try:
        factor: DD = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return factor if np.isfinite(factor).all() else None


def inverse(matrix: DD) -> DD | None:
    """The inverse of any square matrix, or None where it has none."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return None


def cholesky_stack(matrices: KDD) -> tuple[KDD, BoolK]:
    """Lower factors of a stack, and which matrices are not positive definite: the identity stands for theirs."""
    factors = _cholesky_in_one_call(matrices) if matrices.shape[1] <= _MAX_COLUMNS_FOR_STACKED_CALL else None
    if factors is None:
        factors = _cholesky_one_by_one(matrices)
    failed = ~np.isfinite(np.einsum("kii->ki", factors)).all(axis=1)
    if failed.any():
        factors[failed] = np.eye(matrices.shape[1])
    return factors, failed


def _cholesky_in_one_call(matrices: KDD) -> KDD | None:
    try:
        return np.asarray(np.linalg.cholesky(matrices))
    except np.linalg.LinAlgError:  # which of them failed, it does not say
        return None


def _cholesky_one_by_one(matrices: KDD) -> KDD:
    """Lower factors, each made by LAPACK in its own place, and NaN where it failed."""
    factors = np.array(matrices, dtype=np.float64, order="C")
    for factor in factors:
        if dpotrf(factor.T, lower=0, clean=1, overwrite_a=1)[1] != 0:
            factor[:] = np.nan
    return factors


def is_above_floor(matrices: KDD, floor: D) -> BoolK:
    """Whether matrix - diag(floor) is positive definite: one Cholesky each instead of all eigenvalues."""
    return ~cholesky_stack(matrices - np.diag(floor))[1]


def triangular_inverse_transposes(factors: KDD) -> KDD:
    """L^-T of a stack of lower triangular factors: the upper triangular roots of the precisions.

    By substitution, as LAPACK does it; the diagonals must not hold a zero.
    """
    n_matrices, n_features = factors.shape[:2]
    if n_matrices > _MIN_MATRICES_PER_COLUMN * n_features:
        return _triangular_inverse_transposes_by_rows(factors)
    inverses = np.array(np.swapaxes(factors, 1, 2), dtype=np.float64, order="C")
    for inverse in inverses:
        dtrtri(inverse.T, lower=1, overwrite_c=1)
    return inverses


def _triangular_inverse_transposes_by_rows(factors: KDD) -> KDD:
    """Forward substitution: row i of each inverse is made from the rows above it."""
    rows = np.zeros(factors.shape)
    pivots = 1.0 / np.einsum("kii->ki", factors)
    np.einsum("kii->ki", rows)[:] = pivots
    for i in range(1, factors.shape[1]):
        rows[:, i, :i] = np.matmul(factors[:, i : i + 1, :i], rows[:, :i, :i])[:, 0] * -pivots[:, i, None]
    return np.ascontiguousarray(np.swapaxes(rows, 1, 2))


def log_determinants(factors: KDD) -> K:
    """log |L L^T| of a stack of triangular factors with positive diagonals."""
    return np.asarray(2.0 * np.log(np.einsum("kii->ki", factors)).sum(axis=1))


def invert_lower(factor: DD) -> DD:
    """Inverse of a lower triangular matrix (LAPACK trtri); the diagonal must not hold a zero."""
    inverse, info = dtrtri(factor, lower=1)
    if info != 0:
        raise ValueError(f"a triangular factor has a zero or invalid pivot (LAPACK info {info})")
    return np.ascontiguousarray(np.tril(inverse))


def solve_lower(factor: DD, columns: Array) -> Array:
    """L^-1 columns (D, n) by substitution, for a lower triangular L."""
    return np.asarray(solve_triangular(factor, columns, lower=True, check_finite=False))


def precision_condition_numbers(roots: KDD) -> K:
    """Ratio of the largest to the smallest eigenvalue of each root root^T."""
    return np.asarray(np.linalg.cond(roots) ** 2)


def marginal_precision_roots(roots: KDD, columns: IntD) -> KDD:
    """Return roots (K, d, d) of the precisions of some columns; a root of zeros stays zero.

    The rows of the covariance factor R^-T that belong to the columns are F with F F^T = covariance of the columns.
    The triangle of their QR decomposition is the Cholesky factor of that covariance.
    """
    is_zero = np.asarray((roots == 0).all(axis=(1, 2)))
    safe = np.where(is_zero[:, None, None], np.eye(roots.shape[1]), roots)
    factors = np.linalg.inv(safe)[:, :, columns]  # columns of R^-1 are rows of R^-T
    triangles = np.linalg.qr(factors, mode="r")
    return np.where(is_zero[:, None, None], 0.0, np.linalg.inv(triangles))


def log_determinant(factor: DD) -> float:
    """log |L L^T| of a triangular factor."""
    return float(2.0 * np.log(np.abs(np.diagonal(factor))).sum())


def symmetric_log_determinants(matrices: KDD) -> K:
    """log |matrix| of a stack of symmetric matrices; minus infinity where one is not positive definite."""
    signs, logs = np.linalg.slogdet(matrices)
    return np.where(signs > 0, logs, -np.inf)


def principal_axes(rows: ND) -> tuple[D, DD]:
    """Singular values of rows (n, D), largest first, and the axes they belong to, one a row."""
    _, singular, axes = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(singular), np.asarray(axes)


def upper_cholesky(precision: DD) -> DD | None:
    """Upper triangular U with U U^T = precision (Cholesky of the matrix read backwards), or None."""
    factor = cholesky(precision[::-1, ::-1])
    return None if factor is None else np.ascontiguousarray(factor[::-1, ::-1])


def upper_cholesky_stack(matrices: KDD) -> KDD:
    """`upper_root` of a stack of positive definite matrices; LinAlgError where one is not."""
    return np.asarray(np.linalg.cholesky(matrices[:, ::-1, ::-1])[:, ::-1, ::-1], dtype=np.float64)


def general_inverse_transposes(matrices: KDD) -> KDD | None:
    """A^-T of a stack of any square matrices, or None where one is singular."""
    try:
        return np.asarray(np.swapaxes(np.linalg.inv(matrices), 1, 2))
    except np.linalg.LinAlgError:
        return None


def solve_common_columns(matrices: KDD, columns: Array) -> Array:
    """A_k^-1 columns for every matrix of a stack and the same columns (D, n)."""
    return np.asarray(np.linalg.solve(matrices, np.broadcast_to(columns, (len(matrices), *columns.shape))))


def to_upper_triangular_roots(roots: KDD) -> KDD:
    """The upper triangular U with positive diagonals and U U^T = root root^T, for any square roots."""
    reduced = np.linalg.qr(np.swapaxes(roots[:, ::-1], 1, 2), mode="r")
    upper = np.swapaxes(reduced, 1, 2)[:, ::-1, ::-1]
    return np.asarray(upper * np.where(np.einsum("kii->ki", upper) < 0, -1.0, 1.0)[:, None, :])


def solve_vectors(matrices: Array, vectors: Array) -> Array:
    """matrices[i]^-1 columns[i] of a stack of matrices (..., q, q) and as many vectors (..., q)."""
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])


def inverses(matrices: Array) -> Array:
    """The inverses of a stack of small matrices, well conditioned."""
    return np.asarray(np.linalg.inv(matrices))


def eigh_descending(matrices: KDD) -> tuple[Array, Array]:
    """Eigenvalues (descending) and eigenvectors (columns) of a stack of symmetric matrices."""
    values, vectors = np.linalg.eigh(matrices)
    return values[..., ::-1], vectors[..., ::-1]


def left_singular_vectors(matrices: Array) -> tuple[Array, K]:
    """Orthonormal axes (..., D, q) and the falling lengths (..., q) along them, of matrices of q <= D columns."""
    axes, lengths, _ = np.linalg.svd(matrices, full_matrices=False)
    return np.asarray(axes), np.asarray(lengths)


def largest_eigenpairs(matrix: DD, count: int) -> tuple[Array, Array]:
    """The ``count`` largest eigenvalues, falling, and their eigenvectors (D, count) of a symmetric matrix."""
    size = len(matrix)
    if size <= _MAX_COLUMNS_FOR_STACKED_CALL:
        values, vectors = eigh_descending(matrix)
        return values[:count], vectors[:, :count]
    values, vectors = eigh(matrix, subset_by_index=(size - count, size - 1), check_finite=False)
    return np.asarray(values[::-1]), np.asarray(vectors[:, ::-1])


def orthonormal_basis(columns: Array) -> Array:
    """An orthonormal basis (D, m) of columns (D, m), and of more where they are dependent."""
    return np.asarray(np.linalg.qr(columns)[0])


@lru_cache(maxsize=64)
def helmert_contrasts(n_columns: int) -> Array:
    """Orthonormal rows (n - 1, n), each of which adds up to zero (Helmert's); read-only."""
    found: Array = np.array(helmert(n_columns)) if n_columns > 1 else np.zeros((0, 1))
    found.flags.writeable = False
    return found


def cayley_transform(skew: KDD) -> tuple[KDD, KDD]:
    """The turns (I - W)(I + W)^-1 of skew matrices W, and (I + W)^-1."""
    eye = np.eye(skew.shape[1])
    inner = np.linalg.inv(eye + skew)
    return np.asarray((eye - skew) @ inner), np.asarray(inner)


def inverse_cayley_transform(rotations: KDD) -> KDD:
    """The skew matrices W of turns (I - W)(I + W)^-1; a mirror image is made a turn by its least axis."""
    eye, proper = np.eye(rotations.shape[1]), rotations.copy()
    for turn in proper:
        if np.linalg.det(turn) < 0:
            turn[:, np.argmin(np.abs(np.diagonal(turn)))] *= -1.0
    return np.asarray((eye - proper) @ np.linalg.inv(eye + proper))


def procrustes_rotations(cross_products: Array) -> Array:
    """The orthogonal matrices Q (K, q, q) that bring A Q nearest to B, from A^T B (Procrustes)."""
    left, _, right = np.linalg.svd(cross_products)
    return np.asarray(left @ right)


def norm_limited_least_squares(columns: Array, target: Array, squared_norm_fraction: float) -> Array:
    """The g (m,) of least |target - columns g| whose squared length is ``share`` of that of the best.

    That of a ridge with the right price, found by a search in its logarithm.
    """
    axes, lengths, turn = np.linalg.svd(columns, full_matrices=False)
    kept = lengths > _RELATIVE_SINGULAR_TOLERANCE * lengths.max(initial=0.0)
    axes, lengths, turn = axes[:, kept], lengths[kept], turn[kept]
    if not len(lengths):
        return np.zeros(columns.shape[1])
    own = axes.T @ target

    def excess(log_price: float) -> float:
        found = lengths * own / (lengths**2 + np.exp(log_price))
        return float((found @ found) - squared_norm_fraction * ((own / lengths) @ (own / lengths)))

    low, high = 2.0 * np.log(lengths[-1]) - 40.0, 2.0 * np.log(lengths[0]) + 40.0
    price = np.exp(brentq(excess, low, high, xtol=1e-3)) if excess(low) > 0 > excess(high) else 0.0
    return np.asarray(turn.T @ (lengths * own / (lengths**2 + price)))


def weighted_outer_sum(vectors: Array, weights: K) -> DD:
    """sum_k weights[k] deltas[k] deltas[k]^T."""
    return np.asarray((vectors * weights[:, None]).T @ vectors)
