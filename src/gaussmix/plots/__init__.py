"""Pictures of mixtures and of how they were found; matplotlib is imported when the first one is drawn.

Every function draws on the ``ax`` (or ``figure``) it is given, or on a figure of its own outside
pyplot, and returns what it drew on; nothing is shown and no global setting is changed.
"""

from gaussmix.plots.convergence_plot import solver_convergence
from gaussmix.plots.criterion_plot import criterion_curves
from gaussmix.plots.densities import densities, density
from gaussmix.plots.pairs import pairs
from gaussmix.plots.partitions import partitions
from gaussmix.plots.scatter_plots import assignment_comparison, scatter
from gaussmix.plots.trace_plot import log_likelihood_trace

__all__ = [
    "assignment_comparison",
    "criterion_curves",
    "densities",
    "density",
    "log_likelihood_trace",
    "pairs",
    "partitions",
    "scatter",
    "solver_convergence",
]
