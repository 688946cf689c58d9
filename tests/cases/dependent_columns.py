"""Linearly dependent or constant columns: the answer is that of the independent columns."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from gaussmix import select


def make_tables() -> dict[str, tuple[np.ndarray, list[int]]]:
    """Return tables of 100 rows in two groups, and the columns of each that are independent."""
    rng = np.random.default_rng(6)
    is_second = np.repeat([False, True], 50)
    x = np.where(is_second, 9, 0) + rng.normal(size=100)
    second, first = rng.dirichlet([20, 5, 5], 100), rng.dirichlet([5, 5, 20], 100)
    parts = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 100) + np.where(is_second[:, None], [3, -3], [0, 0])
    return {
        "copy of a column": (np.column_stack([x, x]), [0]),
        "shares of a whole": (np.where(is_second[:, None], second, first), [0, 1]),
        "parts and their total": (np.column_stack([parts, parts.sum(axis=1)]), [0, 1]),
        "constant column": (np.column_stack([np.ones(100), x]), [1]),
    }


def main() -> None:
    """Compare each search with that of the independent columns."""
    groups = np.repeat([0, 1], 50)
    for name, (X, independent) in make_tables().items():
        best, right = select(X).best, select(X[:, independent]).best
        indices = [
            adjusted_rand_score(groups, best.mixture.predict(X)),
            adjusted_rand_score(groups, right.mixture.predict(X[:, independent])),
        ]
        print(f"{name}: selected {best.name} ARI {indices[0]:.2f}", end=" | ")
        print(f"right, without the dependent column: {right.name} ARI {indices[1]:.2f}")
        print("  note:", best.fit.notes[0])


if __name__ == "__main__":
    main()
