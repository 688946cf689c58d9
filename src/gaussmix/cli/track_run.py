"""Run a filter over a recording scan by scan, and keep what tables and the report need."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import gaussmix.tracking
from gaussmix.cli import console
from gaussmix.cli.label_numbers import LabelNumbers
from gaussmix.cli.track_options import FILTER_NAMES
from gaussmix.cli.track_writer import TrackWriter
from gaussmix.report.track_summary import SceneMoment
from gaussmix.tracking import Estimates, TargetModel, position_intensity
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.types import ND, AnyArray, IntN, N

_N_MOMENTS = 4


@dataclass(frozen=True)
class DetectionLink:
    """A detection that most probably belongs to a track: scan, position in the scan, and existence of the track."""

    scan: int
    detection: int
    existence: float


@dataclass(frozen=True, eq=False)
class FilterRun:
    """What a filter found.

    Attributes
    ----------
    estimates : list of Estimates
        One for each scan; labels count from 1 in the order of the first report.
    moments : list of SceneMoment
        The intensity after a few scans, spread evenly.
    links : dict of int to list of DetectionLink
        Detections of each reported track, in the order of time, those before its first report included.
    """

    estimates: list[Estimates]
    moments: list[SceneMoment]
    links: dict[int, list[DetectionLink]]


def run_filter(
    model: TargetModel,
    filter_name: str,
    scans: Sequence[ND],
    steps: N,
    time_cells: AnyArray,
    rows: Sequence[IntN],
    writer: TrackWriter,
) -> FilterRun:
    """Run a filter over all scans, and write each scan's objects at once.

    After Ctrl-C or a failure a note says how many scans are written.
    """
    tracker: AbstractTracker = getattr(gaussmix.tracking, FILTER_NAMES[filter_name])(model)
    recorder = _Recorder()
    moments: list[SceneMoment] = []
    shown = set((np.ceil(len(scans) * np.arange(1, _N_MOMENTS + 1) / _N_MOMENTS).astype(int) - 1).tolist())
    estimates: list[Estimates] = []
    try:
        with console.progress_bar("tracking") as callback:
            for k, (scan, step) in enumerate(zip(scans, steps.tolist(), strict=True)):
                callback(k, len(scans), f"scan {k + 1}")
                found = recorder.record(k, tracker, tracker.step(scan, step))
                writer.write(time_cells[k], found, rows[k])
                estimates.append(found)
                if k in shown:
                    moments.append(SceneMoment(k, position_intensity(tracker)))
    except BaseException:
        if estimates:
            console.print_note(f"{writer.path} holds the tracks of the first {len(estimates)} of {len(scans)} scans.")
        raise
    return FilterRun(estimates, moments, recorder.reported_links())


class _Recorder:
    """Numbers labels in the order of their first report, and remembers the detections of tracks."""

    def __init__(self) -> None:
        self.numbers = LabelNumbers()
        self.links: dict[int, list[DetectionLink]] = {}

    def record(self, scan: int, tracker: AbstractTracker, found: Estimates) -> Estimates:
        """Return the estimates of a scan with the new labels."""
        numbered = self.numbers.relabel(found)
        tracks = getattr(tracker.state, "tracks", None)  # unlikely tracks, too, where the filter has any
        known = found if tracks is None else tracks
        self._add_links(scan, known.labels, known.detections, known.existence)
        if tracks is not None:
            alive = set(tracks.labels.tolist())
            self.links = {each: links for each, links in self.links.items() if each in alive or each in self.numbers}
        return numbered

    def _add_links(self, scan: int, labels: IntN, detections: IntN, existence: N) -> None:
        """Add the detections of a scan to their tracks."""
        for label, detection, probability in zip(labels.tolist(), detections.tolist(), existence.tolist(), strict=True):
            if detection >= 0:
                self.links.setdefault(label, []).append(DetectionLink(scan, detection, probability))

    def reported_links(self) -> dict[int, list[DetectionLink]]:
        """Return the detections of the reported tracks by their new labels."""
        return {number: self.links.get(label, []) for label, number in self.numbers.numbers.items()}


def label_detections(run: FilterRun, rows: Sequence[IntN], n_rows: int) -> dict[str, AnyArray]:
    """Return the track of each row of the file, and the probability that the track exists; None where there is none.

    Parameters
    ----------
    run : FilterRun
    rows : sequence of int arrays
        Rows of the file of the detections of each scan.
    n_rows : int
        Rows of the file.
    """
    tracks, probabilities = np.full(n_rows, None, dtype=object), np.full(n_rows, None, dtype=object)
    every = [(link.existence, label, link) for label, links in run.links.items() for link in links]
    for existence, label, link in sorted(every, key=lambda item: item[0]):  # the surest track of a detection is last
        row = int(rows[link.scan][link.detection])
        tracks[row], probabilities[row] = label, existence
    return {"track": tracks, "track_probability": probabilities}
