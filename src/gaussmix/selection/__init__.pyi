from gaussmix.selection.bootstrap import bootstrap_test
from gaussmix.selection.bootstrap_result import BootstrapTestResult
from gaussmix.selection.candidates import Candidate, Selection
from gaussmix.selection.combination import Combination, combine
from gaussmix.selection.criteria import CRITERIA, Criterion
from gaussmix.selection.cross_validation import CrossValidationResult, cross_validate_components
from gaussmix.selection.search import select

__all__ = [
    "CRITERIA",
    "BootstrapTestResult",
    "Candidate",
    "Combination",
    "Criterion",
    "CrossValidationResult",
    "Selection",
    "bootstrap_test",
    "combine",
    "cross_validate_components",
    "select",
]
