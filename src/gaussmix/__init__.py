"""Gaussian mixtures: which groups are in the data, what shape they have, and how sure each row is of its group."""

import importlib
from typing import Any

_HOMES = {
    "GaussianMixture": "gaussmix.estimators",
    "BayesianGaussianMixture": "gaussmix.estimators",
    "KMeans": "gaussmix.estimators",
    "Gaussian": "gaussmix.model",
    "Mixture": "gaussmix.model",
    "Constraints": "gaussmix.model",
    "DefaultPrior": "gaussmix.covariance",
    "select": "gaussmix.selection",
    "Selection": "gaussmix.selection",
    "Candidate": "gaussmix.selection",
    "bootstrap_test": "gaussmix.selection",
    "BootstrapTest": "gaussmix.selection",
    "combine": "gaussmix.selection",
    "Combination": "gaussmix.selection",
    "cross_validate": "gaussmix.selection",
    "compare": "gaussmix.estimators",
    "Comparison": "gaussmix.selection.comparison",
    "CrossValidation": "gaussmix.selection",
    "Fit": "gaussmix.solvers",
    "Outcome": "gaussmix.core.outcome",
    "GaussmixError": "gaussmix.errors",
    "DataError": "gaussmix.errors",
    "ParameterError": "gaussmix.errors",
    "CollapseError": "gaussmix.errors",
    "UnrepresentableError": "gaussmix.errors",
    "ArchiveError": "gaussmix.errors",
    "SelectionError": "gaussmix.errors",
    "MissingPackageError": "gaussmix.errors",
    "FileProblem": "gaussmix.errors",
    "plots": "gaussmix.plots",
    "report": "gaussmix.report",
    "__version__": "gaussmix._version",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that ``import gaussmix`` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gaussmix' has no attribute {name!r}; it has {', '.join(__all__)}")
    module = importlib.import_module(_HOMES[name])
    is_module = _HOMES[name] == f"gaussmix.{name}"
    value = module if is_module else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
