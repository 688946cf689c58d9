"""Elongated parallel groups, for which k-means is a poor initialization.

Learnt: EM only improves the partition from which it starts. K-means divides elongated groups into compact pieces. EM
from there converges without a warning. Hierarchical clustering merges rows while the likelihood decreases little. It
finds the groups in any direction and units. An adjusted Rand index of 1 means that every row is in its group.

Run: python examples/elongated.py [PICTURE] (PICTURE is an optional output file, such as elongated.png)
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, plots

N_SEEDS, N_ROWS_PER_GROUP, N_GROUPS = 20, 200, 3


def make_rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of parallel groups, 20 times as long as wide and 6 widths apart; return them with their groups."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(N_GROUPS), N_ROWS_PER_GROUP)
    rows = rng.normal(size=(len(groups), 2)) * [20.0, 1.0] + np.outer(groups, [0.0, 6.0])
    return rows @ np.array([[0.8, 0.6], [-0.6, 0.8]]), groups


def main() -> None:
    """Count for each initialization the seeds with which the groups are found."""
    estimator_factories = {
        "scikit-learn, start from k-means": lambda seed: SklearnMixture(N_GROUPS, random_state=seed),
        "gaussmix, start from k-means": lambda seed: GaussianMixture(N_GROUPS, random_state=seed),
        "gaussmix, hierarchical start": lambda seed: GaussianMixture(N_GROUPS, init_params="hierarchical"),
    }
    for name, make_estimator in estimator_factories.items():
        n_found = 0
        for seed in range(N_SEEDS):
            rows, groups = make_rows(seed)
            n_found += adjusted_rand_score(groups, make_estimator(seed).fit_predict(rows)) > 0.95
        print(f"{name:33}: groups found with {n_found:2d} of {N_SEEDS} seeds")
    if len(sys.argv) > 1:
        draw_picture(sys.argv[1])


def draw_picture(path: str) -> None:
    """Plot the fits from both initializations to the rows of the first seed."""
    rows, _ = make_rows(0)
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    for ax, start in zip(figure.subplots(1, 2), ("kmeans", "hierarchical"), strict=True):
        mixture = GaussianMixture(N_GROUPS, init_params=start, random_state=0).fit(rows)
        plots.scatter(mixture, rows, ax=ax, legend=False)
        ax.set_title(f"init_params={start!r}: mean log-likelihood {mixture.score(rows):.2f}", fontsize="medium")
    figure.savefig(path, dpi=110)
    print(f"Drew {path}")


if __name__ == "__main__":
    main()
