"""Long parallel groups: where a start from k-means goes wrong, and says nothing.

Learnt: EM only ever improves the partition it starts from. K-means cuts long groups across, since that
makes compact pieces, and EM stays there and reports that it has converged. A hierarchical start joins
rows as long as that costs little likelihood, and finds the groups along their length, in
whatever direction and unit they lie. An adjusted Rand index of 1 means that every row is in its group.

Run: python examples/elongated.py [PICTURE] (PICTURE, such as elongated.png, is drawn if named)
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as TheirMixture

from gaussmix import GaussianMixture, plots

N_SEEDS, N_ROWS_PER_GROUP, N_GROUPS = 20, 200, 3


def make_rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of groups side by side, 20 times as long as wide and 6 widths apart, and the group of each."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(N_GROUPS), N_ROWS_PER_GROUP)
    rows = rng.normal(size=(len(groups), 2)) * [20.0, 1.0] + np.outer(groups, [0.0, 6.0])
    return rows @ np.array([[0.8, 0.6], [-0.6, 0.8]]), groups


def main() -> None:
    """Count the seeds whose groups are found from each start."""
    makers = {
        "scikit-learn, start from k-means": lambda seed: TheirMixture(N_GROUPS, random_state=seed),
        "gaussmix, start from k-means": lambda seed: GaussianMixture(N_GROUPS, random_state=seed),
        "gaussmix, hierarchical start": lambda seed: GaussianMixture(N_GROUPS, init_params="hierarchical"),
    }
    for name, make in makers.items():
        found = 0
        for seed in range(N_SEEDS):
            rows, groups = make_rows(seed)
            found += adjusted_rand_score(groups, make(seed).fit_predict(rows)) > 0.95
        print(f"{name:33}: groups found with {found:2d} of {N_SEEDS} seeds")
    if len(sys.argv) > 1:
        draw_picture(sys.argv[1])


def draw_picture(path: str) -> None:
    """The two starts of gaussmix on the rows of the first seed."""
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
