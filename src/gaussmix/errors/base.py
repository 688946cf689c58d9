"""The root of every error of this package."""


class GaussmixError(Exception):
    """Base of every error of this package; its message is one sentence for the user."""
