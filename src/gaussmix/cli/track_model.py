"""The model of ``gaussmix track``: estimated from the recording, with the numbers that the user gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.cli.track_options import GivenNumbers
from gaussmix.errors import DetectionTableError, TrackingDataError
from gaussmix.report.track_summary import ModelNumber
from gaussmix.tracking import (
    Birth,
    Clutter,
    ConstantVelocity,
    PositionSensor,
    TargetModel,
    TargetModelFit,
    fit_target_model,
)
from gaussmix.tracking.model_fitting.rates import Estimate
from gaussmix.types import ND, N

_MAX_FIT_SCANS = 2000  # of a long recording; more change the estimates by less than their intervals


@dataclass(frozen=True, eq=False)
class TrackModel:
    """A model with what is known of its numbers.

    Attributes
    ----------
    target_model : TargetModel
    numbers : list of ModelNumber
        Its numbers with intervals.
    fit : TargetModelFit or None
        The estimates; None if all numbers are given.
    n_fitted_scans : int
        Scans that the estimates use.
    """

    target_model: TargetModel
    numbers: list[ModelNumber]
    fit: TargetModelFit | None
    n_fitted_scans: int


def make_track_model(scans: Sequence[ND], steps: N, names: Sequence[str], unit: str, given: GivenNumbers) -> TrackModel:
    """Estimate a model from scans, and replace the numbers that are given; nothing is estimated if all are given.

    Parameters
    ----------
    scans : sequence of arrays of shape (n, p)
        Positions of the detections of each scan.
    steps : array of shape (n_scans,)
        Time before each scan.
    names : sequence of str
        Names of the coordinates.
    unit : str
        Unit of time; empty if it is unknown.
    given : GivenNumbers

    Raises
    ------
    DetectionTableError
        If nothing can be estimated, and not all numbers are given.
    """
    if given.are_complete:
        return TrackModel(_make_given_model(scans, given), _list_numbers(None, names, unit, given), None, 0)
    n_fitted = min(len(scans), _MAX_FIT_SCANS)
    try:
        fit = fit_target_model(scans[:n_fitted], steps[:n_fitted].tolist())
    except TrackingDataError as error:
        raise DetectionTableError.no_model(str(error), GivenNumbers.option_names()) from error
    return TrackModel(_change_model(fit.model, given), _list_numbers(fit, names, unit, given), fit, n_fitted)


class _NumberRow(NamedTuple):
    """A kind of number: its name, field of `GivenNumbers`, estimates (one, or one per axis), and unit of counts."""

    name: str
    field: str
    collect: Callable[[TargetModelFit], Sequence[Estimate | float]]
    is_per_axis: bool = False
    unit: str = ""


_PER_TIME = "per time"
_ROWS = (
    _NumberRow("detection probability", "detection_probability", lambda fit: [fit.rates.detection_probability]),
    _NumberRow("false detections", "clutter", lambda fit: [fit.rates.clutter_rate], unit="per scan"),
    _NumberRow("noise", "noise", lambda fit: fit.noise_std, is_per_axis=True),
    _NumberRow("acceleration", "acceleration", lambda fit: [fit.acceleration_std]),
    _NumberRow("speed", "speed", lambda fit: fit.velocity_std, is_per_axis=True),
    _NumberRow("new objects", "birth_rate", lambda fit: [fit.rates.birth_rate], unit=_PER_TIME),
    _NumberRow("survival probability", "survival", lambda fit: [fit.rates.survival_probability], unit=_PER_TIME),
)


def _list_numbers(
    fit: TargetModelFit | None, names: Sequence[str], unit: str, given: GivenNumbers
) -> list[ModelNumber]:
    """Return all numbers of the model."""
    return [number for row in _ROWS for number in _make_numbers(row, fit, names, unit, given)]


def _make_numbers(
    row: _NumberRow, fit: TargetModelFit | None, names: Sequence[str], unit: str, given: GivenNumbers
) -> list[ModelNumber]:
    """Return the numbers of a kind as they are given, or as they were estimated."""
    time = unit.removesuffix("s") or "unit of time"
    unit_text = f"per {time}" if row.unit == _PER_TIME else row.unit
    value = getattr(given, row.field)
    if value is not None:
        return [ModelNumber(row.name, value, unit=unit_text, is_given=True)]
    assert fit is not None
    titles = [f"{row.name} along {name}" for name in names] if row.is_per_axis else [row.name]
    return [_make_estimated(title, found, unit_text) for title, found in zip(titles, row.collect(fit), strict=True)]


def _make_estimated(name: str, found: Estimate | float, unit: str) -> ModelNumber:
    """Return an estimated number, with its interval if there is one."""
    if isinstance(found, Estimate):
        return ModelNumber(name, found.value, found.low, found.high, unit)
    return ModelNumber(name, found, unit=unit)


def _change_model(model: TargetModel, given: GivenNumbers) -> TargetModel:
    """Return a model with the given numbers in place of its own."""
    sensor, motion, birth = model.sensor, model.motion, model.birth
    assert isinstance(sensor, PositionSensor)
    assert isinstance(motion, ConstantVelocity)
    if given.noise is not None:
        sensor = replace(sensor, noise_std=given.noise)
    if given.clutter is not None:
        sensor = replace(sensor, clutter=replace(sensor.clutter, rate=given.clutter))
    if given.detection_probability is not None:
        sensor = replace(sensor, detection_probability=given.detection_probability)
    if given.acceleration is not None:
        motion = replace(motion, acceleration_std=given.acceleration)
    if given.speed is not None:
        birth = _change_speed(birth, motion, given.speed)
    if given.birth_rate is not None:
        birth = _change_rate(birth, given.birth_rate)
    survival = model.survival_probability if given.survival is None else given.survival
    return replace(model, sensor=sensor, motion=motion, birth=birth, survival_probability=survival)


def _change_speed(birth: Birth, motion: ConstantVelocity, speed: float) -> Birth:
    """Return births with another standard deviation of the velocity, anywhere: places depend on the old one."""
    hidden = np.ones(motion.n_states)
    hidden[np.array(motion.layout.velocities)] = speed
    rate = birth.rate + (0.0 if birth.places is None else birth.places.mass)
    return replace(birth, places=None, rate=rate, hidden_std=hidden)


def _change_rate(birth: Birth, rate: float) -> Birth:
    """Return births with another total rate, at the same places."""
    total = birth.rate + (0.0 if birth.places is None else birth.places.mass)
    if birth.places is None or total == 0.0 or rate == 0.0:
        return replace(birth, places=None, rate=rate)
    return replace(birth, places=birth.places.scale(rate / total), rate=birth.rate * rate / total)


def _make_given_model(scans: Sequence[ND], given: GivenNumbers) -> TargetModel:
    """Return a model of given numbers alone, in the region of the detections."""
    rows = np.concatenate([scan for scan in scans if len(scan)])
    span = np.ptp(rows, axis=0)
    n_axes = rows.shape[1]
    volume = float(np.prod(np.where(span > 0, span, max(float(span.max()), 1.0))))
    assert given.clutter is not None
    assert given.acceleration is not None
    assert given.noise is not None
    assert given.detection_probability is not None
    assert given.birth_rate is not None
    assert given.survival is not None
    assert given.speed is not None
    motion = ConstantVelocity(given.acceleration, n_axes)
    sensor = PositionSensor(given.noise, Clutter(given.clutter, volume), given.detection_probability, n_axes)
    n_initial = max(len(rows) / len(scans) - given.clutter, 0.5)
    birth = Birth(None, given.birth_rate, volume, 1.0, n_initial)
    return TargetModel(motion, sensor, _change_speed(birth, motion, given.speed), given.survival)
