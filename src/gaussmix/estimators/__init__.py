"""Estimators with scikit-learn's interface."""

from gaussmix.estimators.bayesian import BayesianGaussianMixture
from gaussmix.estimators.imputer import MixtureImputer
from gaussmix.estimators.kmeans import KMeans
from gaussmix.estimators.mixture import GaussianMixture

__all__ = ["BayesianGaussianMixture", "GaussianMixture", "KMeans", "MixtureImputer"]
