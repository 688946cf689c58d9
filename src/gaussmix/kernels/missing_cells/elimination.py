"""Eliminate the missing columns of a pattern from the roots of all components, by reflections.

The columns of R^T that are missing come first. Householder's reflections make them upper triangular, U; what they make
of the other columns are V, beside U, and W below. W takes differences of the observed columns to their distance,
-U^-1 V predicts the missing columns, and (U^T U)^-1 is their conditional covariance (`core/marginal_quadratics.py`).
"""

from math import pi

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.simd import scalar_log


@kernel
def eliminate_missing_columns(rows, model, workspace, pattern):
    """Write the triangles (U, V; 0, W) and the offset of each component for a pattern."""
    n_missing, n_features = rows.n_missing[pattern], model.center.shape[1]
    log_sides = 0.0
    for i in range(n_missing):
        log_sides += model.log_side_lengths[rows.columns[pattern, i]]
    for k in range(model.center.shape[0]):
        is_uniform = True
        for j in range(n_features):
            column = rows.columns[pattern, j]
            for i in range(n_features):
                entry = model.root[k, column, i]
                workspace.triangles[k, i, j] = entry
                if entry != 0.0:
                    is_uniform = False
        if is_uniform:
            workspace.offset[k] = model.offset[k] + log_sides
            continue
        log_determinant = 0.0
        for j in range(n_missing):
            log_determinant += scalar_log(_reflect_column(workspace.triangles, k, j, workspace.buffer))
        workspace.offset[k] = model.offset[k] + 0.5 * n_missing * scalar_log(2.0 * pi) - log_determinant


@kernel
def _reflect_column(triangles, k, j, reflector):
    """Make the entries of column j below the diagonal zero; return the size of the diagonal entry."""
    n = triangles.shape[1]
    squares = 0.0
    for i in range(j, n):
        reflector[i] = triangles[k, i, j]
        squares += reflector[i] * reflector[i]
    size = squares**0.5
    if reflector[j] > 0.0:
        size = -size
    # The reflector x - size e has the squared length 2 size (size - x_j), without cancellation.
    half_squares = size * (size - reflector[j])
    reflector[j] -= size
    if half_squares > 0.0:
        for c in range(j + 1, n):
            product = 0.0
            for i in range(j, n):
                product += reflector[i] * triangles[k, i, c]
            factor = product / half_squares
            for i in range(j, n):
                triangles[k, i, c] -= factor * reflector[i]
    triangles[k, j, j] = size
    for i in range(j + 1, n):
        triangles[k, i, j] = 0.0
    return abs(size)


@kernel
def predict_missing_columns(triangles, k, n_missing, predictions, inverse):
    """Write -U^-1 V to ``predictions`` and U^-1 to ``inverse``; a uniform component predicts nothing."""
    n = triangles.shape[1]
    for row in range(n_missing - 1, -1, -1):
        diagonal = triangles[k, row, row]
        scale = 1.0 / diagonal if diagonal != 0.0 else 0.0
        for c in range(n_missing):
            total = 1.0 if c == row else 0.0
            for m in range(row + 1, n_missing):
                total -= triangles[k, row, m] * inverse[m, c]
            inverse[row, c] = total * scale
        for c in range(n_missing, n):
            total = -triangles[k, row, c]
            for m in range(row + 1, n_missing):
                total -= triangles[k, row, m] * predictions[m, c]
            predictions[row, c] = total * scale
