"""The roots of every error and every warning of this package."""


class GaussmixError(Exception):
    """Base of every error of this package; its message is one sentence for the user."""


class GaussmixWarning(UserWarning):
    """Base of every warning of this package that scikit-learn does not fix; its message is one sentence."""
