"""A group that vanishes and returns has its component again in a warm start, and light weights make nothing empty."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from gaussmix import GaussianMixture

CENTERS = np.array([(100, 50), (300, 200), (200, 400)])
IS_THIRD_PRESENT = (True, True, False, True, True)


def make_frame(rng: np.random.Generator, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 200 rows around each of the first centers, and the group of each row."""
    rows = [rng.normal(center, 4, (200, 2)) for center in CENTERS[:n_groups]]
    return np.vstack(rows), np.repeat(np.arange(n_groups), 200)


def main() -> None:
    """Fit five frames in turn, of which the third lacks a group; then fit rows of tiny weights."""
    rng = np.random.default_rng(0)
    estimator = GaussianMixture(3, warm_start=True, random_state=0)
    for number, is_present in enumerate(IS_THIRD_PRESENT):
        X, groups = make_frame(rng, 3 if is_present else 2)
        estimator.fit(X)
        index = adjusted_rand_score(groups, estimator.predict(X))
        print(f"frame {number}: ARI {index:.2f}, weights {estimator.weights_.round(2)}, notes {estimator.fit_.notes}")
    right = adjusted_rand_score(groups, GaussianMixture(3, random_state=0).fit_predict(X))
    print(f"right: ARI 1.00 in frames 3 and 4, as a new fit has: {right:.2f}")
    weights = np.full(len(X), 1e-11)
    notes = GaussianMixture(3, random_state=0).fit(X, sample_weight=weights).fit_.notes
    print(f"weights that sum to {weights.sum():.0e}: {notes} | right: no component is called empty")


if __name__ == "__main__":
    main()
