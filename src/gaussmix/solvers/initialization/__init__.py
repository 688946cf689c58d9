"""Initialization: methods that make the initial mixture of a fit from a problem, a number of components and a seed."""

from gaussmix.solvers.initialization.init_methods import INIT_METHODS, KMEANS_METHOD
from gaussmix.solvers.initialization.initial_mixture import (
    argsort_free_components_by_mean,
    initialize_from_labels,
    initialize_from_moments,
    replace_parameters,
    sort_components_by_mean,
)
from gaussmix.solvers.initialization.initializer import initialize

__all__ = [
    "INIT_METHODS",
    "KMEANS_METHOD",
    "argsort_free_components_by_mean",
    "initialize",
    "initialize_from_labels",
    "initialize_from_moments",
    "replace_parameters",
    "sort_components_by_mean",
]
