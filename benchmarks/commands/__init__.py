"""One file for each command: its arguments, what it measures, and the table it makes of that."""

from benchmarks.commands import factors, first, fit, grid, limit, many, memory, peers, small

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
}
"""In the order in which a report shows them; each has TITLE, EXPLANATION, add_arguments, measure and markdown."""
