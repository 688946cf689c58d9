"""All errors and warnings of the package, with their messages.

A message says what is wrong, what was found, what is allowed and what to do next. Each class builds its messages in
classmethods, so that the code that raises an error passes facts only. Classes of scikit-learn (``NotFittedError``,
``ConvergenceWarning``) are raised in ``estimators``.
"""

from gaussmix.errors.anomaly import AnomalyParameterError, TrainingRowsError, VerdictTableError
from gaussmix.errors.archives import ArchiveError, DamagedModelError, UnsavableError
from gaussmix.errors.base import GaussmixError, GaussmixWarning
from gaussmix.errors.churn import ChurnDataError, ChurnParameterError
from gaussmix.errors.classification import ClassifierParameterError, TargetError
from gaussmix.errors.columns import ColumnNameError, DataWarning, DependenceError, TransformError, UnknownNumbers
from gaussmix.errors.constraints import ConstraintError
from gaussmix.errors.customer_tables import CustomerTableError
from gaussmix.errors.data import DataError, DataTypeError, LabelError, RowTooFarError, SparseDataError, WeightError
from gaussmix.errors.drift import DriftError
from gaussmix.errors.evaluation import ActionError, OutcomeError, PriorError
from gaussmix.errors.file_formats import FileFormatError, SheetError
from gaussmix.errors.files import FileError, TableError
from gaussmix.errors.fit_input import MissingCellError, ModelFolderError, TransformedRowError
from gaussmix.errors.fit_parameters import StartingValueError, StructureError
from gaussmix.errors.models import (
    CapabilityError,
    CollapseError,
    CompiledCodeError,
    CompiledCodeWarning,
    DegenerateFitWarning,
    MissingPackageError,
    ParameterError,
    SelectionError,
    UnrepresentableError,
)
from gaussmix.errors.sources import SourceError
from gaussmix.errors.table_columns import TableColumnError, TableInputError, TargetLeakError
from gaussmix.errors.tracking_boxes import BoxTrackingError
from gaussmix.errors.tracking_files import MotFileError, MotFileWarning
from gaussmix.errors.tracking_filters import (
    BeliefError,
    FilterOverflowError,
    MeasurementError,
    MotionError,
    ReductionError,
    TrackingDataError,
)
from gaussmix.errors.tracking_input import DetectionTableError
from gaussmix.errors.tracking_tables import TrackEvaluationError, TrackInputError
from gaussmix.errors.tracking_video import FrameError, VideoError, VideoWarning
from gaussmix.errors.validation import ValidationError

__all__ = [
    "ActionError",
    "AnomalyParameterError",
    "ArchiveError",
    "BeliefError",
    "BoxTrackingError",
    "CapabilityError",
    "ChurnDataError",
    "ChurnParameterError",
    "ClassifierParameterError",
    "CollapseError",
    "ColumnNameError",
    "CompiledCodeError",
    "CompiledCodeWarning",
    "ConstraintError",
    "CustomerTableError",
    "DamagedModelError",
    "DataError",
    "DataTypeError",
    "DataWarning",
    "DegenerateFitWarning",
    "DependenceError",
    "DetectionTableError",
    "DriftError",
    "FileError",
    "FileFormatError",
    "FilterOverflowError",
    "FrameError",
    "GaussmixError",
    "GaussmixWarning",
    "LabelError",
    "MeasurementError",
    "MissingCellError",
    "MissingPackageError",
    "ModelFolderError",
    "MotFileError",
    "MotFileWarning",
    "MotionError",
    "OutcomeError",
    "ParameterError",
    "PriorError",
    "ReductionError",
    "RowTooFarError",
    "SelectionError",
    "SheetError",
    "SourceError",
    "SparseDataError",
    "StartingValueError",
    "StructureError",
    "TableColumnError",
    "TableError",
    "TableInputError",
    "TargetError",
    "TargetLeakError",
    "TrackEvaluationError",
    "TrackInputError",
    "TrackingDataError",
    "TrainingRowsError",
    "TransformError",
    "TransformedRowError",
    "UnknownNumbers",
    "UnrepresentableError",
    "UnsavableError",
    "ValidationError",
    "VerdictTableError",
    "VideoError",
    "VideoWarning",
    "WeightError",
]
