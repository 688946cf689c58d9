"""``TrackSummary``: the tracks of a recording with all that a report says about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.model import Intensity
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.innovations import InnovationTest
from gaussmix.tracking.track_paths import TrackPath, collect_paths
from gaussmix.types import ND, AnyArray, ArrayLike


@dataclass(frozen=True)
class ModelNumber:
    """A number of the model of a filter.

    Attributes
    ----------
    name : str
        Such as 'detection probability'.
    value : float
    low, high : float or None
        Ends of the 95 % interval; None if there is none.
    unit : str
        Such as 'per scan'; may be empty.
    is_given : bool
        Whether the user has set it by hand.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    unit: str = ""
    is_given: bool = False


@dataclass(frozen=True)
class SceneMoment:
    """What a filter knew after one scan: position of the scan, and the intensity of objects, None if it is empty."""

    scan: int
    intensity: Intensity | None


@dataclass(frozen=True, eq=False)
class TrackSummary:
    """The tracks of a recording.

    Attributes
    ----------
    estimates : list of Estimates
        What the filter reported of each scan.
    scans : list of arrays of shape (n, p)
        Positions of the detections of each scan.
    times : array of shape (n_scans,)
        Times of the scans, numbers or datetime64.
    names : tuple of str
        Names of the coordinates.
    time_name, time_unit : str
        Name of the time, and its unit; the unit may be empty.
    filter_name : str
        Such as 'PMB'.
    numbers : tuple of ModelNumber
        The numbers of the model.
    moments : tuple of SceneMoment
        A few scans, in the order of time.
    innovations : InnovationTest or None
        How well detections match their predictions.
    has_converged : bool or None
        Whether the estimates of the model had converged; None if nothing was estimated.
    has_boxes : bool
        Whether objects are boxes in pictures: the second axis points down, and existence is the detector's confidence.
    """

    estimates: list[Estimates]
    scans: list[ND]
    times: AnyArray
    names: tuple[str, ...]
    time_name: str = "time"
    time_unit: str = ""
    filter_name: str = "PMB"
    numbers: tuple[ModelNumber, ...] = ()
    moments: tuple[SceneMoment, ...] = ()
    innovations: InnovationTest | None = None
    has_converged: bool | None = None
    has_boxes: bool = False

    @cached_property
    def paths(self) -> list[TrackPath]:
        """The paths of all objects, by label."""
        return collect_paths(self.estimates)

    @property
    def n_detections(self) -> int:
        """Number of detections of all scans."""
        return sum(len(scan) for scan in self.scans)

    @property
    def n_tracked_detections(self) -> int:
        """Number of detections that belong to a track."""
        return sum(path.n_detections for path in self.paths)

    @property
    def largest_number(self) -> int:
        """Largest number of objects in one scan."""
        return max((len(each) for each in self.estimates), default=0)

    @property
    def scan_noun(self) -> str:
        """What a scan is called: 'frame' for boxes in pictures, else 'scan'."""
        return "frame" if self.has_boxes else "scan"

    @property
    def speed_unit(self) -> str:
        """Unit of speeds: that of the coordinates per unit of time."""
        return f"units of {self.names[0]} per {self.time_unit.removesuffix('s') or f'unit of {self.time_name}'}"

    @property
    def time_label(self) -> str:
        """Name of the time with its unit."""
        is_date = np.issubdtype(self.times.dtype, np.datetime64)
        return self.time_name if is_date or not self.time_unit else f"{self.time_name} ({self.time_unit})"


def summarize_tracks(
    estimates: Sequence[Estimates],
    detections: Sequence[ArrayLike],
    *,
    times: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    time_name: str = "time",
    time_unit: str = "",
    filter_name: str = "PMB",
    numbers: Sequence[ModelNumber] = (),
    moments: Sequence[SceneMoment] = (),
    innovations: InnovationTest | None = None,
    has_converged: bool | None = None,
    has_boxes: bool = False,
) -> TrackSummary:
    """Return a summary of tracks, for tables and a report page.

    Parameters
    ----------
    estimates : sequence of Estimates
        What ``run`` of a tracker returns.
    detections : sequence of array-like of shape (n, p)
        Detections of each scan.
    times : array-like of shape (n_scans,), optional
        Times of the scans, numbers or datetime64. Default: those of the estimates.
    names : sequence of str, optional
        Names of the coordinates. Default: x, y, z.
    time_name, time_unit, filter_name, numbers, moments, innovations, has_converged, has_boxes
        See `TrackSummary`.

    Returns
    -------
    TrackSummary

    Raises
    ------
    ParameterError
        If there are no estimates, or the arguments have different numbers of scans.
    """
    found = list(estimates)
    if not found:
        raise ParameterError.invalid_value("estimates", found, "at least one scan")
    moments_of_scans = np.array([each.time for each in found]) if times is None else np.asarray(times)
    n_axes = len(found[0].layout.positions)
    scans = [np.asarray(scan, dtype=np.float64) for scan in detections]
    points = [scan[:, :n_axes] if scan.ndim == 2 else np.zeros((0, n_axes)) for scan in scans]
    for name, values in (("detections", points), ("times", moments_of_scans)):
        if len(values) != len(found):
            raise ParameterError.invalid_value(name, f"{len(values)} scans", f"{len(found)} scans, as in the estimates")
    chosen = tuple(names) if names is not None else tuple("xyz"[:n_axes])
    return TrackSummary(
        found, points, moments_of_scans, chosen, time_name, time_unit, filter_name, tuple(numbers), tuple(moments),
        innovations, has_converged, has_boxes,
    )  # fmt: skip
