"""Gaussian mixtures: which groups are in the data, what shape they have, and how sure each row is of its group."""

import importlib
from typing import Any

_MODULE_OF_NAME = {
    "GaussianMixture": "gaussmix.estimators",
    "BayesianGaussianMixture": "gaussmix.estimators",
    "KMeans": "gaussmix.estimators",
    "Gaussian": "gaussmix.model",
    "Mixture": "gaussmix.model",
    "Intensity": "gaussmix.model",
    "Constraints": "gaussmix.model",
    "reduce_mixture": "gaussmix.model",
    "DefaultPrior": "gaussmix.covariance",
    "select": "gaussmix.selection",
    "Selection": "gaussmix.selection",
    "Candidate": "gaussmix.selection",
    "bootstrap_test": "gaussmix.selection",
    "BootstrapTestResult": "gaussmix.selection",
    "combine": "gaussmix.selection",
    "Combination": "gaussmix.selection",
    "cross_validate_components": "gaussmix.selection",
    "MixtureClassifier": "gaussmix.classification.classifier",
    "compare": "gaussmix.comparison.comparison",
    "Comparison": "gaussmix.comparison.result",
    "CrossValidationResult": "gaussmix.selection",
    "ColumnDiagnosis": "gaussmix.diagnostics",
    "diagnose_columns": "gaussmix.diagnostics",
    "Fit": "gaussmix.solvers",
    "Outcome": "gaussmix.core.outcome",
    "GaussmixError": "gaussmix.errors",
    "DataError": "gaussmix.errors",
    "DataWarning": "gaussmix.errors",
    "DependenceError": "gaussmix.errors",
    "ParameterError": "gaussmix.errors",
    "CollapseError": "gaussmix.errors",
    "UnrepresentableError": "gaussmix.errors",
    "ArchiveError": "gaussmix.errors",
    "DegenerateFitWarning": "gaussmix.errors",
    "SelectionError": "gaussmix.errors",
    "CapabilityError": "gaussmix.errors",
    "MissingPackageError": "gaussmix.errors",
    "FileError": "gaussmix.errors",
    "plots": "gaussmix.plots",
    "report": "gaussmix.report",
    "__version__": "gaussmix._version",
}

__all__ = list(_MODULE_OF_NAME)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that ``import gaussmix`` stays cheap."""
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module 'gaussmix' has no attribute {name!r}; it has {', '.join(__all__)}")
    module = importlib.import_module(_MODULE_OF_NAME[name])
    is_module = _MODULE_OF_NAME[name] == f"gaussmix.{name}"
    value = module if is_module else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
