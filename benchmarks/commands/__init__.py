"""One file for each command: its arguments, what it measures, and the table it makes of that."""

from benchmarks.commands import (
    bayes,
    default_fit,
    factors,
    first_use,
    kmeans,
    many_components,
    memory,
    model_selection,
    peers,
    roofline,
    small_fit,
    solvers,
)

COMMANDS = {
    "peers": peers,
    "limit": roofline,
    "many": many_components,
    "fit": default_fit,
    "memory": memory,
    "small": small_fit,
    "grid": model_selection,
    "first": first_use,
    "factors": factors,
    "solvers": solvers,
    "bayes": bayes,
    "kmeans": kmeans,
}
"""In the order of a report. Each has TITLE, EXPLANATION, add_arguments, run_benchmark and format_results."""
