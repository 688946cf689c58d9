"""Every sentence this package says when something is wrong, in one place.

An error names the thing, what was found, what was allowed, and the next step. Exceptions build
their own messages, so that the rooms that raise them hold facts and no prose. The few classes
that scikit-learn fixes (``NotFittedError``, ``ConvergenceWarning``) are raised in ``estimators``.
"""

from gaussmix.errors.base import GaussmixError, GaussmixWarning
from gaussmix.errors.constraints import ConstraintError
from gaussmix.errors.data import DataError, LabelError, WeightError
from gaussmix.errors.files import ArchiveError, FileError, TableError
from gaussmix.errors.models import (
    CapabilityError,
    CollapseError,
    CompilationError,
    CompilationWarning,
    MissingPackageError,
    ParameterError,
    SelectionError,
    UnrepresentableError,
)

__all__ = [
    "ArchiveError",
    "CapabilityError",
    "CollapseError",
    "CompilationError",
    "CompilationWarning",
    "ConstraintError",
    "DataError",
    "FileError",
    "GaussmixError",
    "GaussmixWarning",
    "LabelError",
    "MissingPackageError",
    "ParameterError",
    "SelectionError",
    "TableError",
    "UnrepresentableError",
    "WeightError",
]
