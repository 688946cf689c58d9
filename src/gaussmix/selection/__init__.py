"""Model selection: criteria, searches and tests of the number of components and of the covariance structure."""

from gaussmix.lazy_names import export_lazily

__all__, __getattr__, __dir__ = export_lazily(
    __name__,
    {
        "gaussmix.selection.bootstrap": ["bootstrap_test"],
        "gaussmix.selection.bootstrap_result": ["BootstrapTestResult"],
        "gaussmix.selection.candidates": ["Candidate", "Selection"],
        "gaussmix.selection.combination": ["Combination", "combine"],
        "gaussmix.selection.criteria": ["CRITERIA", "Criterion"],
        "gaussmix.selection.cross_validation": ["CrossValidationResult", "cross_validate_components"],
        "gaussmix.selection.search": ["select"],
    },
)
