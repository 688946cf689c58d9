"""The one place that factorises a matrix: Cholesky with an honest failure, triangular inverse, clipping.

Everything here works on one d x d matrix or a stack of them and never repairs silently: a
factorisation that fails is a value (``None``), and a clipped eigenvalue is reported.
"""

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dtrtri

from gaussmix.types import DD, KDD, Array, D, K


def cholesky(matrix: DD) -> DD | None:
    """Lower factor L with L L^T = matrix, or None where the matrix is not positive definite."""
    try:
        factor: DD = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    return factor if np.isfinite(factor).all() else None


def exceeds(matrix: DD, floor: D) -> bool:
    """Whether matrix - diag(floor) is positive definite: one Cholesky instead of all eigenvalues."""
    return cholesky(matrix - np.diag(floor)) is not None


def lower_inverse(factor: DD) -> DD:
    """Inverse of a lower triangular matrix (LAPACK trtri); the diagonal must not hold a zero."""
    inverse, info = dtrtri(factor, lower=1)
    if info != 0:
        raise ValueError(f"a triangular factor has a zero or invalid pivot (LAPACK info {info})")
    return np.ascontiguousarray(np.tril(inverse))


def lower_solve(factor: DD, columns: Array) -> Array:
    """L^-1 columns (D, n) by substitution, for a lower triangular L."""
    return np.asarray(solve_triangular(factor, columns, lower=True, check_finite=False))


def condition(roots: KDD) -> K:
    """Ratio of the largest to the smallest eigenvalue of each root root^T."""
    return np.asarray(np.linalg.cond(roots) ** 2)


def log_determinant(factor: DD) -> float:
    """log |L L^T| of a triangular factor."""
    return float(2.0 * np.log(np.abs(np.diagonal(factor))).sum())


def log_determinants(matrices: KDD) -> K:
    """log |matrix| of a stack of symmetric matrices; minus infinity where one is not positive definite."""
    signs, logs = np.linalg.slogdet(matrices)
    return np.where(signs > 0, logs, -np.inf)


def upper_root(precision: DD) -> DD | None:
    """Upper triangular U with U U^T = precision (Cholesky of the matrix read backwards), or None."""
    factor = cholesky(precision[::-1, ::-1])
    return None if factor is None else np.ascontiguousarray(factor[::-1, ::-1])


def triangular_root(root: DD) -> DD:
    """The upper triangular U with positive diagonal and U U^T = root root^T, for any square root."""
    reduced: DD = np.asarray(np.linalg.qr(root[::-1].T, mode="r"))
    upper = reduced.T[::-1, ::-1]
    return np.asarray(upper * np.where(np.diagonal(upper) < 0, -1.0, 1.0))


def symmetric_eigen(matrices: KDD) -> tuple[Array, Array]:
    """Eigenvalues (descending) and eigenvectors (columns) of a stack of symmetric matrices."""
    values, vectors = np.linalg.eigh(matrices)
    return values[..., ::-1], vectors[..., ::-1]


def outer_sum(deltas: Array, weights: K) -> DD:
    """sum_k weights[k] deltas[k] deltas[k]^T."""
    return np.asarray((deltas * weights[:, None]).T @ deltas)
