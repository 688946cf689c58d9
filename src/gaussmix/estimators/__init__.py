"""scikit-learn's interface: estimators that may change themselves and hand every sum to the rooms below."""

from gaussmix.estimators.bayesian import BayesianGaussianMixture
from gaussmix.estimators.kmeans import KMeans
from gaussmix.estimators.mixture import GaussianMixture

__all__ = ["BayesianGaussianMixture", "GaussianMixture", "KMeans"]
