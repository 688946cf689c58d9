"""The base classes of all errors and warnings of this package."""


class GaussmixError(Exception):
    """Base of every error of this package; its message is one sentence for the user."""


class GaussmixWarning(UserWarning):
    """Base of every warning of this package, apart from scikit-learn's own; its message is one sentence."""
