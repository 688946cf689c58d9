"""Warnings that point to the user's code."""

import sys
import warnings


def warn_user(message: str, category: type[Warning]) -> None:
    """Issue a warning that points to the line of the user's code that called into gaussmix."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("gaussmix."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
