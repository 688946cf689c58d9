"""Warnings that point to the line of the user's code that called into gaussmix."""

import sys
import warnings


def warn_user(message: str | Warning, category: type[Warning] | None = None) -> None:
    """Issue a warning that points to the line of the user's code that called into gaussmix.

    Parameters
    ----------
    message : str or Warning
        A Warning brings its own category.
    category : type of Warning, optional
        The category of a message that is a text.
    """
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("gaussmix."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
