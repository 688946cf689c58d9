"""Parameters of a float32 fit of scikit-learn in Mixture.from_parameters and in precisions_init."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, Mixture


def score_from_parameters(fit: SklearnMixture, X: np.ndarray, structure: str) -> np.ndarray:
    """Return the log densities of a Mixture with the fitted parameters."""
    return Mixture.from_parameters(fit.weights_, fit.means_, fit.covariances_, structure=structure).logpdf(X)


def score_from_precisions(fit: SklearnMixture, X: np.ndarray, structure: str) -> np.ndarray:
    """Return the log densities of an estimator that starts from the fitted parameters and makes no iteration."""
    parameters = {"weights_init": fit.weights_, "means_init": fit.means_, "precisions_init": fit.precisions_}
    return GaussianMixture(3, covariance_type=structure, max_iter=0, **parameters).fit(X).score_samples(X)


def main() -> None:
    """Print the largest difference to scikit-learn's log densities for each structure."""
    X = load_iris().data.astype(np.float32)
    for structure in ("full", "tied", "diag", "spherical"):
        fit = SklearnMixture(3, covariance_type=structure, random_state=0).fit(X)
        for score in (score_from_parameters, score_from_precisions):
            try:
                difference = float(np.abs(score(fit, X, structure) - fit.score_samples(X)).max())
                print(f"{structure:9} {score.__name__:21} largest difference {difference}")
            except ValueError as error:
                print(f"{structure:9} {score.__name__:21} {type(error).__name__} {error}")


if __name__ == "__main__":
    main()
