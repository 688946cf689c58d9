"""Gaussian mixtures: which groups are in the data, what shape they have, and how sure each row is of its group."""

from gaussmix.lazy_names import export_lazily

__all__, __getattr__, __dir__ = export_lazily(
    __name__,
    {
        "gaussmix.estimators": ["GaussianMixture", "BayesianGaussianMixture", "KMeans", "MixtureImputer"],
        "gaussmix.model": ["Gaussian", "Mixture", "Intensity", "Constraints", "reduce_mixture"],
        "gaussmix.covariance": ["DefaultPrior"],
        "gaussmix.selection": [
            "select",
            "Selection",
            "Candidate",
            "bootstrap_test",
            "BootstrapTestResult",
            "combine",
            "Combination",
            "cross_validate_components",
            "CrossValidationResult",
        ],
        "gaussmix.classification.classifier": ["MixtureClassifier"],
        "gaussmix.comparison.comparison": ["compare"],
        "gaussmix.comparison.result": ["Comparison"],
        "gaussmix.diagnostics": ["ColumnDiagnosis", "diagnose_columns"],
        "gaussmix.solvers": ["Fit"],
        "gaussmix.core.outcome": ["Outcome"],
        "gaussmix.errors": [
            "GaussmixError",
            "DataError",
            "DataWarning",
            "DependenceError",
            "ParameterError",
            "CollapseError",
            "UnrepresentableError",
            "ArchiveError",
            "DegenerateFitWarning",
            "SelectionError",
            "CapabilityError",
            "MissingPackageError",
            "FileError",
        ],
        "gaussmix.plots": ["plots"],
        "gaussmix.report": ["report"],
        "gaussmix._version": ["__version__"],
    },
)
