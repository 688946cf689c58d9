"""Pictures of mixtures and of how they were found; matplotlib is imported when the first one is drawn.

Every function draws on the ``ax`` (or ``figure``) it is given, or on a figure of its own outside
pyplot, and returns what it drew on; nothing is shown and no global setting is changed.
"""

from gaussmix.plots.choice import choice
from gaussmix.plots.densities import densities, density
from gaussmix.plots.ellipses import assignment, scatter
from gaussmix.plots.optimisers import optimisers
from gaussmix.plots.pairs import pairs
from gaussmix.plots.partitions import partitions
from gaussmix.plots.traces import trace

__all__ = ["assignment", "choice", "densities", "density", "optimisers", "pairs", "partitions", "scatter", "trace"]
