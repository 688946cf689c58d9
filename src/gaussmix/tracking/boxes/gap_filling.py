"""Gaps of tracks of boxes, filled afterwards by the Rauch-Tung-Striebel smoother."""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import BoxTrackingError, ParameterError
from gaussmix.tracking.boxes.box_arrays import to_centers
from gaussmix.tracking.boxes.box_detections import require_sides
from gaussmix.tracking.boxes.box_filter import make_motion, predict_boxes, prepare_box_update, start_boxes, to_boxes
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.kalman import StateStack, update_pairs
from gaussmix.tracking.sequence_filter import FilteredStates
from gaussmix.tracking.smoothing import smooth
from gaussmix.tracking.track_table import NO_LABEL, TrackTable
from gaussmix.types import ND, IntN, K, N

_ONLY = np.zeros(1, dtype=np.int64)


def fill_gaps(tracks: TrackTable, max_gap: int = 20, frame_rate: float = 25.0) -> TrackTable:
    """Fill the gaps of each track by boxes between those before and after.

    A Rauch-Tung-Striebel smoother runs over the boxes of each track, with the motion of `BoxTracker`. Boxes that exist
    stay as they are.

    Parameters
    ----------
    tracks : TrackTable
        Labelled boxes. Rows without a label (-1) stay as they are.
    max_gap : int, default=20
        Gaps of more frames stay open. A person who is hidden for longer may have gone elsewhere.
    frame_rate : float, default=25.0
        Frames per second.

    Returns
    -------
    TrackTable
        With more rows. Their confidence is that of the row before the gap; category and visibility are left out.

    Raises
    ------
    BoxTrackingError
        If the table has no boxes, or a box without area.
    ParameterError
        If ``max_gap`` or ``frame_rate`` is not allowed.

    References
    ----------
    Rauch, Tung & Striebel, "Maximum likelihood estimates of linear dynamic systems", AIAA Journal 3, 1965.

    Examples
    --------
    >>> from gaussmix.tracking import TrackTable, fill_gaps
    >>> tracks = TrackTable([1, 2, 4, 5], [1, 1, 1, 1], boxes=[[10.0 * k, 0, 40, 100] for k in (1, 2, 4, 5)])
    >>> filled = fill_gaps(tracks)
    >>> filled.frame.tolist(), filled.boxes[2].round().tolist()
    ([1, 2, 3, 4, 5], [30.0, 0.0, 40.0, 100.0])
    """
    require_integer("max_gap", max_gap, 0)
    if not is_number_in(frame_rate, 0.0, math.inf):
        raise ParameterError.invalid_value("frame_rate", frame_rate, "a finite number above 0")
    if tracks.boxes is None:
        raise BoxTrackingError.no_boxes()
    require_sides(tracks.boxes)
    options = BoxOptions(frame_rate=frame_rate)
    return _join_rows(tracks, [_fill_track(options, part, max_gap) for part in _split_by_label(tracks)])


def smooth_tracks(options: BoxOptions, tracks: TrackTable, max_gap: int) -> TrackTable:
    """Return the table with smoothed boxes (all rows have labels), and with the gaps up to ``max_gap`` filled."""
    parts = [part for track in _split_by_label(tracks) for part in _smooth_track(options, track, max_gap)]
    return _join_rows(tracks.select_rows(slice(0, 0)), parts)


class _Rows(NamedTuple):
    """Columns of rows of a table: frames (n,), labels (n,), boxes (n, 4) and confidences (n,)."""

    frame: IntN
    label: IntN
    boxes: ND
    confidence: N


def _get_columns(tracks: TrackTable) -> _Rows:
    """Return the columns of a table; confidences are 1 where it has none."""
    assert tracks.boxes is not None
    confidence = np.ones(len(tracks)) if tracks.confidence is None else tracks.confidence
    return _Rows(tracks.frame, tracks.label, tracks.boxes, confidence)


def _split_by_label(tracks: TrackTable) -> list[_Rows]:
    """Return the rows of each label, in the order of frames."""
    labels = np.unique(tracks.label[tracks.label != NO_LABEL]).tolist()
    return [_get_columns(tracks.select_rows(np.flatnonzero(tracks.label == label))) for label in labels]


def _join_rows(tracks: TrackTable, parts: list[_Rows]) -> TrackTable:
    """Return a table with more rows."""
    columns = zip(_get_columns(tracks), *parts, strict=True)
    frame, label, boxes, confidence = (np.concatenate(column) for column in columns)
    return TrackTable(frame, label, boxes=boxes, confidence=None if tracks.confidence is None else confidence)


def _fill_track(options: BoxOptions, track: _Rows, max_gap: int) -> _Rows:
    """Return the rows that fill the gaps of a track."""
    n_missing = np.diff(track.frame) - 1
    gaps = np.flatnonzero((n_missing > 0) & (n_missing <= max_gap))
    before = np.repeat(gaps, n_missing[gaps])
    extra = np.concatenate([track.frame[:0], *(np.arange(track.frame[i] + 1, track.frame[i + 1]) for i in gaps)])
    boxes = smooth_boxes(options, track.frame, track.boxes, extra) if len(extra) else track.boxes[:0]
    return _Rows(extra, np.full(len(extra), track.label[0]), boxes, track.confidence[before])


def _smooth_track(options: BoxOptions, track: _Rows, max_gap: int) -> list[_Rows]:
    """Return the smoothed rows of a track, and those that fill its gaps."""
    smoothed = track._replace(boxes=smooth_boxes(options, track.frame, track.boxes, track.frame))
    return [smoothed, _fill_track(options, track, max_gap)]


def smooth_boxes(options: BoxOptions, frame: IntN, boxes: ND, extra: IntN) -> ND:
    """Return smoothed boxes (n, 4) in the frames ``extra`` (n,), given those (m, 4) in other frames ``frame`` (m,)."""
    times = np.union1d(frame, extra)
    heights = np.interp(times, frame, boxes[:, 3])
    measured = np.full((len(times), 4), np.nan)
    measured[np.searchsorted(times, frame)] = to_centers(boxes)
    smoothed = smooth(_filter(options, times / options.frame_rate, measured, heights))
    return to_boxes(smoothed.means[np.searchsorted(times, extra)])


def _filter(options: BoxOptions, seconds: N, measured: ND, heights: K) -> FilteredStates:
    """Return the states of a track with boxes (T, 4) of center, width and height; NaN where there is none.

    The noise of a motion in `FilteredStates` changes covariances of smoothed states only, and these are not used.
    """
    state = start_boxes(options, measured[:1])
    predicted, updated = [state], [state]
    for row, step in enumerate(np.diff(seconds).tolist(), start=1):
        state = predict_boxes(options, state, step * options.frame_rate, heights[row - 1 : row])
        predicted.append(state)
        if not np.isnan(measured[row, 0]):
            update = prepare_box_update(options, state, heights[row : row + 1])
            difference = measured[row : row + 1] - update.predicted
            state = StateStack(update_pairs(state.means, update, _ONLY, difference), update.covariances)
        updated.append(state)
    return FilteredStates(
        seconds, *_concatenate(updated), *_concatenate(predicted), np.zeros(len(seconds)), make_motion(options)
    )


def _concatenate(states: list[StateStack]) -> StateStack:
    """Return the states one after the other."""
    means, covariances = zip(*states, strict=True)
    return StateStack(np.concatenate(means), np.concatenate(covariances))
