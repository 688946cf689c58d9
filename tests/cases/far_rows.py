"""A few far rows, such as sentinels or one slip, hide neither the groups nor their variances."""

import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, select

FAR_VALUES_AND_COUNTS = ((65535.0, 10), (1e6, 1))


def format_groups(fit: GaussianMixture | SklearnMixture, X: np.ndarray, groups: np.ndarray, is_near: np.ndarray) -> str:
    """Return means, standard deviations and the adjusted Rand index of the near rows as text."""
    order = np.argsort(fit.means_.ravel())
    means, deviations = fit.means_.ravel()[order], np.sqrt(fit.covariances_.ravel())[order]
    index = adjusted_rand_score(groups[is_near], fit.predict(X)[is_near])
    return f"means {means.round(3)}, standard deviations {deviations.round(4)}, ARI of the other rows {index:.3f}"


def main() -> None:
    """Fit three components to two groups of which a few rows are replaced, beside scikit-learn."""
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 2, 1000)
    x = np.where(groups, 2.0, 1.0) + rng.normal(0, 0.1, 1000)
    for value, count in FAR_VALUES_AND_COUNTS:
        is_near = np.ones(1000, dtype=bool)
        is_near[rng.choice(1000, count, replace=False)] = False
        X = np.where(is_near, x, value)[:, None]
        fit = GaussianMixture(3, random_state=0, n_init=10).fit(X)
        oracle = SklearnMixture(3, random_state=0, n_init=10).fit(X)
        print(f"{count} x {value:g}: {format_groups(fit, X, groups, is_near)}")
        print(f"  right, as scikit-learn: {format_groups(oracle, X, groups, is_near)}")
        print("  note:", fit.fit_.notes[0])
        print("  selected:", select(X, range(1, 7), n_starts=4).best.name, "| right: EII,3, groups and far rows")
    print("standard deviations of the groups:", [x[groups == k].std().round(4).item() for k in (0, 1)])


if __name__ == "__main__":
    main()
