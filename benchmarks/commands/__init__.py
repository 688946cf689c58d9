"""One file for each command: its arguments, what it measures, and the table it makes of that."""

from benchmarks.commands import bayes, factors, first, fit, grid, kmeans, limit, many, memory, peers, small, solvers

COMMANDS = {
    "peers": peers,
    "limit": limit,
    "many": many,
    "fit": fit,
    "memory": memory,
    "small": small,
    "grid": grid,
    "first": first,
    "factors": factors,
    "solvers": solvers,
    "bayes": bayes,
    "kmeans": kmeans,
}
"""In the order in which a report shows them; each has TITLE, EXPLANATION, add_arguments, measure and markdown."""
