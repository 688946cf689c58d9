"""Long parallel groups: what k-means cuts across, a tree of Gaussians finds.

Learnt: k-means measures in circles, so where groups are long and lie side by side it cuts all of
them in the middle, and EM cannot leave that. scikit-learn's default begins there and says that it
has converged. A hierarchical start joins rows by the likelihood of Gaussians instead.

Run: python examples/elongated.py [PICTURE], where PICTURE is elongated.png by default.
"""

import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as Theirs

from gaussmix import GaussianMixture, plots

SEEDS = 20


def groups(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three groups of 150 rows, thirty times as long as wide, side by side; and the group of each row."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(size=(150, 2)) * [6.0, 0.2] + [0.0, 1.5 * group] for group in range(3)]
    return np.concatenate(rows), np.repeat(range(3), 150)


agreed: dict[str, list[float]] = {"scikit-learn": [], "hierarchical start": []}
for seed in range(SEEDS):
    rows, truth = groups(seed)
    mixtures = {
        "scikit-learn": Theirs(3, random_state=seed),
        "hierarchical start": GaussianMixture(3, init_params="hierarchical", random_state=seed),
    }
    for name, mixture in mixtures.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a fit has not converged is no news here
            agreed[name].append(adjusted_rand_score(truth, mixture.fit_predict(rows)))
for name, found in agreed.items():
    right = sum(agreement > 0.95 for agreement in found)
    print(f"{name:<18} finds the groups with {right:2d} of {SEEDS} seeds (median Rand index {np.median(found):.2f})")

picture = sys.argv[1] if len(sys.argv) > 1 else "elongated.png"
figure, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained", sharey=True)
for ax, start in zip(axes, ("kmeans", "hierarchical"), strict=True):
    plots.scatter(GaussianMixture(3, init_params=start, random_state=0).fit(rows), rows, ax=ax, legend=False)
    ax.set_title(f'init_params="{start}"')
figure.savefig(picture, dpi=70)
print(f"Drew {picture}")
