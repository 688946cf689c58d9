"""The interface of all filters of many objects: one scan at a time, or all scans of a recording."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gaussmix.core.input_arrays import parse_rows
from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import DataError, ParameterError, TrackingDataError
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import ND, ArrayLike, N


class AbstractTracker(ABC):
    """A filter that turns scans of detections into labelled objects.

    Subclasses provide three pure functions of a state, and the state before the first scan.

    Attributes
    ----------
    model : TargetModel
        What the filter assumes.
    state : object
        What the filter knows after the last scan; a frozen value.
    time : float
        Sum of the time steps so far.
    """

    model: TargetModel
    state: Any
    time: float

    @abstractmethod
    def initial_state(self) -> Any:
        """Return the state before the first scan."""

    @abstractmethod
    def predict(self, state: Any, dt: float) -> Any:
        """Return the state after a time ``dt``."""

    @abstractmethod
    def update(self, state: Any, detections: ND) -> Any:
        """Return the state after a scan with detections (n, m)."""

    @abstractmethod
    def estimate(self, state: Any, time: float) -> Estimates:
        """Return what is reported of a state."""

    def reset(self) -> None:
        """Forget all scans."""
        self.state, self.time = self.initial_state(), 0.0

    def step(self, detections: ArrayLike, dt: float = 1.0) -> Estimates:
        """Take in the next scan.

        Parameters
        ----------
        detections : array-like of shape (n, m)
            Measurements in the columns of the sensor; n may be 0.
        dt : float, default=1.0
            Time since the last scan, in the unit of time of the motion model; 0 for a second scan at the same time.

        Returns
        -------
        Estimates

        Raises
        ------
        DataError
            If the detections have another number of columns, or contain anything but finite numbers.
        ParameterError
            If ``dt`` is negative or not finite.
        """
        measurements = parse_detections(detections, self.model.sensor.n_measured)
        if not is_number_in(dt, 0.0, np.inf, includes_low=True):
            raise ParameterError.invalid_value("dt", dt, "a finite number of at least 0")
        self.state = self.update(self.predict(self.state, float(dt)), measurements)
        self.time += float(dt)
        return self.estimate(self.state, self.time)

    def run(
        self,
        frames: Iterable[ArrayLike],
        dt: float | Sequence[float] = 1.0,
        progress: bool | ProgressCallback | None = None,
    ) -> list[Estimates]:
        """Take in many scans, after those that the filter has seen.

        Parameters
        ----------
        frames : iterable of array-like of shape (n, m)
            Detections of each scan.
        dt : float or sequence of float, default=1.0
            Time before each scan: one number for all, or one for each.
        progress : bool or callable, optional
            True shows a progress bar; a callable is called as ``progress(n_done, n_total, step_name)``.

        Returns
        -------
        list of Estimates
            One for each scan.

        Raises
        ------
        DataError, ParameterError
            As `step`; also if ``dt`` has another number of entries than ``frames``.
        """
        scans = list(frames)
        steps = parse_steps(dt, len(scans))
        estimates = []
        with make_progress_callback(progress, "track") as callback:
            for position, (detections, step) in enumerate(zip(scans, steps.tolist(), strict=True)):
                callback(position, len(scans), f"scan {position + 1}")
                measurements = parse_detections_of_scan(detections, self.model.sensor.n_measured, position)
                estimates.append(self.step(measurements, step))
        return estimates


def parse_detections(detections: ArrayLike, n_measured: int) -> ND:
    """Return the detections of a scan as an array (n, m); an empty sequence is a scan without detections.

    Raises
    ------
    DataError
        If they have another number of columns, or contain anything but finite numbers.
    """
    shape = np.shape(detections) if hasattr(detections, "shape") else np.shape(np.asarray(detections, dtype=object))
    if 0 in shape:
        return np.zeros((0, n_measured))
    rows = parse_rows(detections, n_measured if len(shape) < 2 else None)
    if rows.shape[1] != n_measured:
        raise TrackingDataError.wrong_columns(rows.shape[1], n_measured)
    return rows


def parse_detections_of_scan(detections: ArrayLike, n_measured: int, position: int) -> ND:
    """Return the detections of a scan of a recording as `parse_detections`; an error names the scan.

    Raises
    ------
    TrackingDataError
        If they have another number of columns, or contain anything but finite numbers.
    """
    try:
        return parse_detections(detections, n_measured)
    except DataError as error:
        raise TrackingDataError.in_scan(position, str(error)) from error


def parse_steps(dt: float | Sequence[float], n_scans: int) -> N:
    """Return the time before each scan, (n_scans,).

    Raises
    ------
    ParameterError
        If there are other numbers of steps and scans, or a step is not a finite number of at least 0.
    """
    steps = parse_finite_numbers("dt", dt)
    if steps.ndim and steps.shape != (n_scans,):
        raise ParameterError.invalid_value("dt", f"{len(steps)} time steps", f"one number, or {n_scans}, one a scan")
    if (steps < 0.0).any():
        raise ParameterError.invalid_value("dt", float(steps.min()), "finite numbers of at least 0")
    return np.array(np.broadcast_to(steps, n_scans))
