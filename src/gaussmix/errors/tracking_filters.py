"""Errors about filters, recordings, switching motion models, and the reduction of mixtures."""

from collections.abc import Sequence

from gaussmix.errors.data import DataError
from gaussmix.errors.models import ParameterError, UnrepresentableError
from gaussmix.errors.text import format_count, join_with_commas

_LONELY_DETECTIONS = 1.1  # a scan; with fewer, hardly any scan has two


class ReductionError(ParameterError):
    """Limits of a reduction that contradict each other."""

    @classmethod
    def no_limit(cls) -> "ReductionError":
        """Return the error that nothing says how far Runnalls' method merges."""
        return cls("method='runnalls' merges until a limit is reached; give max_components, max_divergence or both")

    @classmethod
    def other_method(cls, name: str, value: object, method: str) -> "ReductionError":
        """Return the error that a limit belongs to another method."""
        return cls(f"{name}={value!r} has no meaning for method={method!r}; leave it out, or choose the other method")


class BeliefError(ParameterError):
    """A distribution that no filter can take as the belief about a state."""

    @classmethod
    def has_part(cls, part: str) -> "BeliefError":
        """Return the error that a mixture has a part that cannot move, such as noise."""
        return cls(f"the belief has {part}, which a filter cannot move; pass a mixture of Gaussians without {part}")

    @classmethod
    def wrong_columns(cls, found: int, expected: int) -> "BeliefError":
        """Return the error that a belief is not about the columns of the state."""
        return cls(
            f"the belief has {format_count(found, 'column')}, but states have {expected}; pass one for each column"
        )

    @classmethod
    def lost_definiteness(cls, step: str) -> "BeliefError":
        """Return the error that a covariance lost its positive definiteness."""
        return cls(
            f"the covariance after the {step} is not positive definite; use process noise or measurement noise that is "
            "larger relative to the spread of the state, or units in which the columns have similar sizes"
        )


class FilterOverflowError(UnrepresentableError):
    """States or likelihoods of a filter that no float can hold."""

    @classmethod
    def after(cls, step: str) -> "FilterOverflowError":
        """Return the error that a result of a step is not finite."""
        return cls(
            f"a number after the {step} is not finite; check the units of states and measurements, and the times"
        )


class MeasurementError(DataError):
    """A measurement that a filter cannot use."""

    @classmethod
    def wrong_columns(cls, row: int, shape: tuple[int, ...], expected: int) -> "MeasurementError":
        """Return the error that a measurement has not the columns of the sensor."""
        return cls(
            f"measurement {row} has the shape {shape}, but the sensor measures {format_count(expected, 'column')}; "
            "pass one number for each, or None where there is no measurement"
        )

    @classmethod
    def partly_missing(cls, row: int) -> "MeasurementError":
        """Return the error that some columns of a measurement are missing, and others are not."""
        return cls(
            f"measurement {row} has both numbers and NaN; NaN in all columns means that there is no measurement, and a "
            "sensor with fewer columns takes in the others"
        )

    @classmethod
    def invalid_times(cls, position: int, previous: float, found: float) -> "MeasurementError":
        """Return the error that time runs backwards, or is not finite."""
        return cls(
            f"times must be finite and must not decrease, but time {position} is {found!r} after {previous!r}; sort "
            "the measurements by time"
        )


class MotionError(ParameterError):
    """Motion models that do not fit what they are used for."""

    @classmethod
    def several_modes(cls) -> "MotionError":
        """Return the error that a switching motion is used where one motion is needed."""
        return cls(
            "a SwitchingMotion has several modes, but one motion is needed here; use IMM, GaussianSumFilter or a "
            "filter of many objects, or pass one of its motions"
        )

    @classmethod
    def invalid_transition_matrix(cls, shape: tuple[int, ...], n_modes: int) -> "MotionError":
        """Return the error that a matrix is no matrix of transition probabilities."""
        return cls(
            f"transition_matrix must have the shape ({n_modes}, {n_modes}), no negative entry, and rows that add up to "
            f"1, but it has the shape {shape} or other values"
        )

    @classmethod
    def wrong_output(cls, name: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> "MotionError":
        """Return the error that a function of a model returned an array of another shape."""
        return cls(f"{name} must give an array of the shape {expected}, but gave the shape {actual}")

    @classmethod
    def no_jacobian(cls, model: str) -> "MotionError":
        """Return the error that a model from a function has no derivatives."""
        return cls(f"this {model} has no jacobian_function; give one, or use a filter that follows its linearization")

    @classmethod
    def unknown_column(cls, name: object, allowed: Sequence[str]) -> "MotionError":
        """Return the error that a column has no such name."""
        return cls(f"missing_std names the column {name!r}, but the columns are {join_with_commas(list(allowed))}")

    @classmethod
    def cannot_locate(cls) -> "MotionError":
        """Return the error that a sensor cannot say where a measured object is."""
        return cls(
            "this FunctionSensor cannot locate an object from its first detection; give locate_function, or let "
            "objects appear at known places"
        )


class TrackingDataError(DataError):
    """Detections from which nothing can be tracked."""

    @classmethod
    def too_few_scans(cls, n_scans: int, minimum: int) -> "TrackingDataError":
        """Return the error that a recording has too few scans with detections."""
        return cls(
            f"the recording has {format_count(n_scans, 'scan')}, or no detections; a model can be estimated from at "
            f"least {minimum} scans with detections, else give the model"
        )

    @classmethod
    def wrong_columns(cls, n_found: int, n_measured: int) -> "TrackingDataError":
        """Return the error that detections have another number of columns than the sensor."""
        return cls(
            f"detections have {format_count(n_found, 'column')}, but the sensor measures {n_measured}; choose the "
            "columns that it measures"
        )

    @classmethod
    def in_scan(cls, position: int, reason: str) -> "TrackingDataError":
        """Return the error of the detections of one scan of a recording."""
        return cls(f"scan {position + 1}: {reason}")

    @classmethod
    def no_time(cls, n_scans: int) -> "TrackingDataError":
        """Return the error that no time passes in a recording."""
        return cls(
            f"all {format_count(n_scans, 'scan')} are at the same time, so nothing moves; give the time steps dt"
        )

    @classmethod
    def constant_coordinate(cls, position: int) -> "TrackingDataError":
        """Return the error that a coordinate is the same in all detections."""
        return cls(
            f"coordinate {position + 1} is the same in all detections, so its noise cannot be estimated; leave the "
            "column out, or give the model"
        )

    @classmethod
    def no_tracks(cls, n_scans: int, n_detections: int) -> "TrackingDataError":
        """Return the error that no object could be followed."""
        is_lonely = n_detections <= _LONELY_DETECTIONS * n_scans
        advice = (
            "nearly every scan has one detection, but detections that were made together need the same time, so round "
            "the times"
            if is_lonely
            else "check the columns of time and coordinates"
        )
        return cls(
            f"none of the {format_count(n_detections, 'detection')} in {format_count(n_scans, 'scan')} can be followed "
            f"through three scans, so no model can be estimated; {advice}, or give the model"
        )
