"""Where a fit begins: a table of starts, each a function of the problem, the number of components and a generator."""

from gaussmix.solvers.start.given import from_given, from_labels, from_moments, in_order
from gaussmix.solvers.start.race import automatic
from gaussmix.solvers.start.seeding import KMEANS_START, STARTS

__all__ = ["KMEANS_START", "STARTS", "automatic", "from_given", "from_labels", "from_moments", "in_order"]
