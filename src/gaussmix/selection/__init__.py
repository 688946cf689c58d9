"""How many groups, of which shape: criteria, and the search over components and structures."""

from gaussmix.selection.candidates import Candidate, Selection
from gaussmix.selection.criteria import CRITERIA, Criterion
from gaussmix.selection.search import select

__all__ = ["CRITERIA", "Candidate", "Criterion", "Selection", "select"]
