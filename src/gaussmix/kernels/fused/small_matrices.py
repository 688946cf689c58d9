"""Small matrices, one per component: Cholesky factors, triangular inverses, eigenvalues."""

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_inlining

# Jacobi's rotations end if the squares off the diagonal sum to no more than this part of those on it.
MAX_SQUARED_OFF_DIAGONAL = 1e-32


@kernel
def compute_cholesky(matrices, k, factors):
    """Compute the lower Cholesky factor of matrix k; return whether it is positive definite."""
    n = matrices.shape[1]
    for i in range(n):
        for j in range(i + 1):
            total = matrices[k, i, j]
            for m in range(j):
                total -= factors[k, i, m] * factors[k, j, m]
            if i > j:
                factors[k, i, j] = total / factors[k, j, j]
            elif total > 0.0:
                factors[k, i, i] = total**0.5
            else:
                return False
        for j in range(i + 1, n):
            factors[k, i, j] = 0.0
    return True


@kernel
def invert_lower(factors, k, inverses):
    """Compute the inverse of lower triangular factor k."""
    n = factors.shape[1]
    for j in range(n):
        for i in range(j):
            inverses[k, i, j] = 0.0
        inverses[k, j, j] = 1.0 / factors[k, j, j]
        for i in range(j + 1, n):
            total = 0.0
            for m in range(j, i):
                total -= factors[k, i, m] * inverses[k, m, j]
            inverses[k, i, j] = total / factors[k, i, i]


@kernel
def compute_eigen(matrices, k, initial_axes, workspace, rotated, values, axes):
    """Compute the eigenvalues of matrix k in descending order and the axes as columns, by Jacobi's method.

    Golub & Van Loan, "Matrix computations", section 8.5. The rotations start from ``initial_axes[k]``: few are needed
    if these are near.
    """
    n = matrices.shape[1]
    rotate_into_axes(matrices, k, initial_axes, k, workspace, rotated)
    for i in range(n):
        for j in range(n):
            workspace[i, j] = rotated[k, i, j]
            axes[k, i, j] = initial_axes[k, i, j]
    for _ in range(50):
        off_diagonal, diagonal = 0.0, 0.0
        for i in range(n):
            diagonal += workspace[i, i] * workspace[i, i]
            for j in range(i):
                off_diagonal += workspace[i, j] * workspace[i, j]
        if not off_diagonal > MAX_SQUARED_OFF_DIAGONAL * diagonal:
            break
        # A plane below a fair part of the sum that ends the sweeps needs no rotation.
        negligible = MAX_SQUARED_OFF_DIAGONAL * diagonal / (n * n)
        for i in range(n - 1):
            for j in range(i + 1, n):
                if workspace[i, j] * workspace[i, j] > negligible:
                    _rotate_plane(workspace, axes, k, i, j)
    for i in range(n):
        values[k, i] = workspace[i, i]
    for i in range(n - 1):
        largest = i
        for j in range(i + 1, n):
            if values[k, j] > values[k, largest]:
                largest = j
        if largest != i:
            values[k, i], values[k, largest] = values[k, largest], values[k, i]
            for m in range(n):
                axes[k, m, i], axes[k, m, largest] = axes[k, m, largest], axes[k, m, i]


@kernel
def _rotate_plane(workspace, axes, k, i, j):
    """Rotate one plane so that its off-diagonal entry vanishes."""
    request_inlining()
    off_diagonal, n = workspace[i, j], workspace.shape[0]
    theta = (workspace[j, j] - workspace[i, i]) / (2.0 * off_diagonal)
    tangent = 1.0 / (abs(theta) + (theta * theta + 1.0) ** 0.5)
    if theta < 0.0:
        tangent = -tangent
    cosine = 1.0 / (tangent * tangent + 1.0) ** 0.5
    sine = tangent * cosine
    for m in range(n):
        a, b = workspace[m, i], workspace[m, j]
        workspace[m, i], workspace[m, j] = cosine * a - sine * b, sine * a + cosine * b
    for m in range(n):
        a, b = workspace[i, m], workspace[j, m]
        workspace[i, m], workspace[j, m] = cosine * a - sine * b, sine * a + cosine * b
        a, b = axes[k, m, i], axes[k, m, j]
        axes[k, m, i], axes[k, m, j] = cosine * a - sine * b, sine * a + cosine * b


@kernel
def rotate_into_axes(matrices, k, axes, axes_index, workspace, rotated):
    """Compute rotated[k] = A^T matrix_k A with A = axes[axes_index]."""
    n = matrices.shape[1]
    for i in range(n):
        for j in range(n):
            total = 0.0
            for m in range(n):
                total += matrices[k, i, m] * axes[axes_index, m, j]
            workspace[i, j] = total
    for i in range(n):
        for j in range(n):
            total = 0.0
            for m in range(n):
                total += axes[axes_index, m, i] * workspace[m, j]
            rotated[k, i, j] = total


@kernel
def compose_from_eigen(axes, axes_index, values, k, matrices):
    """Compute matrix_k = A diag(values_k) A^T with A = axes[axes_index]."""
    n = matrices.shape[1]
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for m in range(n):
                total += axes[axes_index, i, m] * values[k, m] * axes[axes_index, j, m]
            matrices[k, i, j] = total
            matrices[k, j, i] = total
