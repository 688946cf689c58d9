"""All errors and warnings of the package, with their messages.

A message says what is wrong, what was found, what is allowed and what to do next. Each class builds its messages in
classmethods, so that the code that raises an error passes facts only. Classes of scikit-learn (``NotFittedError``,
``ConvergenceWarning``) are raised in ``estimators``.
"""

from gaussmix.errors.base import GaussmixError, GaussmixWarning
from gaussmix.errors.constraints import ConstraintError
from gaussmix.errors.data import DataError, DataWarning, LabelError, TransformError, WeightError
from gaussmix.errors.files import ArchiveError, DamagedModelError, FileError, TableError
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
    "DamagedModelError",
    "DataError",
    "DataWarning",
    "FileError",
    "GaussmixError",
    "GaussmixWarning",
    "LabelError",
    "MissingPackageError",
    "ParameterError",
    "SelectionError",
    "TableError",
    "TransformError",
    "UnrepresentableError",
    "WeightError",
]
