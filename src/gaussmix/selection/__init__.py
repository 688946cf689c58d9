"""How many groups, of which shape: criteria, tests, and the search over components and structures."""

from gaussmix.selection.bootstrap import BootstrapTest, bootstrap_test
from gaussmix.selection.candidates import Candidate, Selection
from gaussmix.selection.combining import Combination, combine
from gaussmix.selection.criteria import CRITERIA, Criterion
from gaussmix.selection.cross_validation import CrossValidation, cross_validate
from gaussmix.selection.search import select

__all__ = [
    "CRITERIA",
    "BootstrapTest",
    "Candidate",
    "Combination",
    "Criterion",
    "CrossValidation",
    "Selection",
    "bootstrap_test",
    "combine",
    "cross_validate",
    "select",
]
