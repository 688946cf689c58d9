"""Structures that share or restrict the covariance need fewer than D + 1 rows per component."""

import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, bootstrap_test, select


def print_many_columns() -> None:
    """Compare the selected model with three components on 150 rows of 60 columns in three round groups."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], 50)
    X = rng.normal(size=(150, 60)) + 3.0 * rng.normal(size=(3, 60))[groups]
    for structures in (["EII", "VII", "EEI", "VVI"], ["EEE"], ["VVI"]):
        selection = select(X, range(1, 6), structures=structures, n_starts=8)
        best = selection.best
        right = next(c for c in selection.candidates if c.n_components == 3 and str(c.structure) == structures[0])
        indices = [adjusted_rand_score(groups, c.mixture.predict(X)) for c in (best, right)]
        print(f"{structures}: selected {best.name} BIC {best.criteria['bic']:.0f} ARI {indices[0]:.2f}", end="   ")
        print(f"right: {right.name} BIC {right.criteria['bic']:.0f} ARI {indices[1]:.2f} ({right.rejection_reason})")
    for structure in ("spherical", "diag", "tied"):
        bic = [
            SklearnMixture(k, covariance_type=structure, random_state=0, n_init=5).fit(X).bic(X) for k in range(1, 6)
        ]
        print(f"right value, scikit-learn {structure}: K = {1 + int(np.argmin(bic))}, BIC {min(bic):.0f}")
    fit = GaussianMixture(3, covariance_type="spherical", random_state=0).fit(X).fit_
    print("notes on 50 rows per group, 'spherical':", fit.notes)

    x = np.where(rng.integers(0, 2, 1000), 2.0, 1.0) + rng.normal(0, 0.1, 1000)
    x[17] = -20.0
    selection = select(x[:, None], range(1, 7), structures=["EII"])
    best, right = selection.best, next(c for c in selection.candidates if c.n_components == 3)
    print(f"one outlier: selected {best.name} BIC {best.criteria['bic']:.0f}", end="; ")
    print(f"right: {right.name} BIC {right.criteria['bic']:.0f} ({right.rejection_reason})")


def print_bootstrap_test() -> None:
    """Print the last p-values of the bootstrap test on two groups of 100 rows."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (100, 4)), rng.normal(3, 1, (100, 4))])
    for structure in ("EII", "EEE"):
        last_line = str(bootstrap_test(X, structure=structure, n_bootstrap=49)).splitlines()[-1]
        print(f"bootstrap_test {structure}: {last_line} | right: a p-value for 2 vs 3, as mclustBootstrapLRT gives")


def main() -> None:
    """Print all comparisons."""
    print_many_columns()
    print_bootstrap_test()


if __name__ == "__main__":
    main()
