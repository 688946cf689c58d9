"""Smooth the tracks of a recording: each state uses all detections of its track, before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.cli.track_run import DetectionLink, FilterRun
from gaussmix.model import Gaussian
from gaussmix.tracking import Estimates, TargetModel, filter_measurements, smooth
from gaussmix.types import ND, IntN, N


@dataclass(frozen=True, eq=False)
class _SmoothedTrack:
    """Smoothed states of a track in all scans from its first to its last detection."""

    label: int
    first_scan: int
    means: ND
    covariances: ND
    existence: N
    detections: IntN

    def __len__(self) -> int:
        return len(self.means)


def smooth_run(model: TargetModel, run: FilterRun, scans: Sequence[ND], times: N) -> FilterRun:
    """Return a run whose tracks are smoothed by the Rauch-Tung-Striebel smoother.

    Tracks begin at their first detection, have no gaps, and end at their last detection. In a scan in which a track was
    not reported, its existence is that of the detection before.

    Parameters
    ----------
    model : TargetModel
    run : FilterRun
    scans : sequence of arrays of shape (n, p)
    times : array of shape (n_scans,)
        Times of the scans.
    """
    links = _keep_surest(run.links)
    tracks = [_smooth_track(model, label, own, scans, times) for label, own in links.items() if own]
    members: list[list[tuple[_SmoothedTrack, int]]] = [[] for _ in run.estimates]
    for track in tracks:
        for k in range(len(track)):
            members[track.first_scan + k].append((track, k))
    estimates = [_replace_objects(before, found) for before, found in zip(run.estimates, members, strict=True)]
    return replace(run, estimates=estimates, links=links)


def _keep_surest(links: Mapping[int, Sequence[DetectionLink]]) -> dict[int, list[DetectionLink]]:
    """Return the detections of each track without those that belong to a track that is surer in the same scan."""
    owners: dict[tuple[int, int], tuple[float, int]] = {}
    for label, own in links.items():
        for link in own:
            key = link.scan, link.detection
            owners[key] = max(owners.get(key, (-1.0, 0)), (link.existence, -label))
    return {
        label: [link for link in own if owners[link.scan, link.detection][1] == -label] for label, own in links.items()
    }


def _smooth_track(
    model: TargetModel, label: int, links: Sequence[DetectionLink], scans: Sequence[ND], times: N
) -> _SmoothedTrack:
    """Return the smoothed states of one track."""
    first, last = links[0].scan, links[-1].scan
    measurements: list[ND | None] = [None] * (last - first + 1)
    detections = np.full(len(measurements), -1, dtype=np.int64)
    existence = np.full(len(measurements), np.nan)
    for link in links:
        measurements[link.scan - first] = scans[link.scan][link.detection]
        detections[link.scan - first], existence[link.scan - first] = link.detection, link.existence
    start = scans[first][[links[0].detection]]
    means, covariances = model.birth.locate(model.sensor, model.motion.layout, start)
    measurements[0] = None  # the initial belief has it already
    initial = Gaussian(means[0], covariances[0])
    filtered = filter_measurements(
        initial, model.motion, model.sensor, measurements, times[first : last + 1], float(times[first])
    )
    smoothed = smooth(filtered)
    return _SmoothedTrack(label, first, smoothed.means, smoothed.covariances, _carry_forward(existence), detections)


def _carry_forward(values: N) -> N:
    """Return values whose NaN are replaced by the last number before; the first one is a number."""
    positions = np.where(np.isnan(values), 0, np.arange(len(values)))
    return np.asarray(values[np.maximum.accumulate(positions)])


def _replace_objects(before: Estimates, found: Sequence[tuple[_SmoothedTrack, int]]) -> Estimates:
    """Return the estimates of a scan with smoothed objects, in ascending order of their labels."""
    ordered = sorted(found, key=lambda pair: pair[0].label)
    n_states = before.states.shape[1]
    return replace(
        before,
        labels=np.array([track.label for track, _ in ordered], dtype=np.int64),
        states=np.array([track.means[k] for track, k in ordered]).reshape(-1, n_states),
        covariances=np.array([track.covariances[k] for track, k in ordered]).reshape(-1, n_states, n_states),
        existence=np.array([track.existence[k] for track, k in ordered], dtype=np.float64),
        detections=np.array([track.detections[k] for track, k in ordered], dtype=np.int64),
    )
