"""Masked entries are never read: they are missing cells, or refused, as NaN is."""

from collections.abc import Callable

import numpy as np

from gaussmix import BayesianGaussianMixture, Gaussian, GaussianMixture, KMeans, select


def main() -> None:
    """Fit rows of which every tenth has a masked sentinel, and print the mean or the error."""
    X = np.random.default_rng(0).normal(size=(200, 2))
    X[::10] = -9999.0
    masked = np.ma.masked_less(X, -999)
    fits: dict[str, Callable[[], np.ndarray]] = {
        "GaussianMixture": lambda: GaussianMixture(1).fit(masked).means_[0],
        "KMeans": lambda: KMeans(1).fit(masked).cluster_centers_[0],
        "BayesianGaussianMixture": lambda: BayesianGaussianMixture(n_components=1).fit(masked).means_[0],
        "Gaussian.from_data": lambda: Gaussian.from_data(masked).mean,
        "select": lambda: select(masked, 1).best.mixture.means[0],
    }
    for name, fit in fits.items():
        try:
            print(f"{name:24}", fit())
        except ValueError as error:
            print(f"{name:24} {type(error).__name__}: {error}")
    print("right: the error, or the mean of the rows without masked entries", X[~masked.mask.any(axis=1)].mean(axis=0))


if __name__ == "__main__":
    main()
