"""Labelled positions or boxes of objects, frame by frame: what trackers return, and what files and measures hold."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from gaussmix.errors import TrackInputError
from gaussmix.tracking.track_columns import parse_boxes, parse_coordinates, parse_integers, parse_numbers_per_row
from gaussmix.types import ND, AnyArray, ArrayLike, BoolN, IntN, N

NO_LABEL = -1  # label of a detection that belongs to no object yet


@dataclass(frozen=True, eq=False, init=False, repr=False)
class TrackTable:
    """Objects in frames, one row for each object in each frame.

    Rows are sorted by frame, then by label, so that their order in the input does not matter. All arrays are read-only
    copies.

    Parameters
    ----------
    frame : array-like of shape (n,)
        Number of the frame, any whole number.
    label : array-like of shape (n,)
        Identity of the object, a whole number. It occurs once per frame at most. -1 means no identity, and may repeat.
    positions : array-like of shape (n, 2) or (n, 3), optional
        Coordinates, in any unit. At least one of ``positions`` and ``boxes`` is needed.
    boxes : array-like of shape (n, 4), optional
        Left, top, width and height. Sizes are at least 0.
    confidence : array-like of shape (n,), optional
        How sure the detector or tracker is, on its own scale.
    category : array-like of shape (n,), optional
        Class of the object, a whole number.
    visibility : array-like of shape (n,), optional
        Visible fraction of the object.

    Raises
    ------
    TrackInputError
        If a column has another shape, is not finite, or a label occurs twice in a frame.

    Examples
    --------
    >>> from gaussmix.tracking import TrackTable
    >>> table = TrackTable([2, 1, 1], [7, 8, 7], positions=[[0.0, 1.0], [5.0, 5.0], [0.0, 0.0]])
    >>> table.frame.tolist(), table.label.tolist()
    ([1, 1, 2], [7, 8, 7])
    >>> table.select_frames(2, 2).positions.tolist()
    [[0.0, 1.0]]
    """

    frame: IntN
    label: IntN
    positions: ND | None
    boxes: ND | None
    confidence: N | None
    category: IntN | None
    visibility: N | None

    def __init__(
        self,
        frame: ArrayLike,
        label: ArrayLike,
        positions: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        confidence: ArrayLike | None = None,
        category: ArrayLike | None = None,
        visibility: ArrayLike | None = None,
    ) -> None:
        if positions is None and boxes is None:
            raise TrackInputError.no_coordinates()
        frames = parse_integers("frame", frame)
        n_rows = len(frames)
        labels = _parse_integers_per_row("label", label, n_rows)
        columns: dict[str, AnyArray | None] = {
            "frame": frames,
            "label": labels,
            "positions": None if positions is None else parse_coordinates("positions", positions, n_rows, (2, 3)),
            "boxes": None if boxes is None else parse_boxes(boxes, n_rows),
            "confidence": None if confidence is None else parse_numbers_per_row("confidence", confidence, n_rows),
            "category": None if category is None else _parse_integers_per_row("category", category, n_rows),
            "visibility": None if visibility is None else parse_numbers_per_row("visibility", visibility, n_rows),
        }
        order = np.lexsort((labels, frames))
        for name, column in columns.items():
            object.__setattr__(self, name, None if column is None else _freeze(column[order]))
        _require_distinct_labels(self.frame, self.label)

    @classmethod
    def from_frames(
        cls,
        labels: Sequence[ArrayLike],
        positions: Sequence[ArrayLike] | None = None,
        boxes: Sequence[ArrayLike] | None = None,
        confidence: Sequence[ArrayLike] | None = None,
        first_frame: int = 1,
    ) -> "TrackTable":
        """Return the table of consecutive frames.

        Parameters
        ----------
        labels : sequence of array-like of shape (n_t,)
            The labels of each frame; [] for a frame without objects.
        positions, boxes, confidence : sequence of array-like, optional
            The other columns of each frame, as for the class.
        first_frame : int, default=1
            Number of the first frame.

        Raises
        ------
        TrackInputError
            If a column has another number of frames than ``labels``, or is not valid.
        """
        counts = [len(np.atleast_1d(np.asarray(frame_labels))) for frame_labels in labels]
        return cls(
            np.repeat(np.arange(first_frame, first_frame + len(counts)), counts),
            _concatenate_frames("labels", labels, counts),
            positions=None if positions is None else _concatenate_frames("positions", positions, counts),
            boxes=None if boxes is None else _concatenate_frames("boxes", boxes, counts),
            confidence=None if confidence is None else _concatenate_frames("confidence", confidence, counts),
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def __repr__(self) -> str:
        """Return the size of the table and the names of its columns."""
        names = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        return f"TrackTable({len(self)} rows: {', '.join(names)})"

    @property
    def points(self) -> ND:
        """Positions (n, p), or the centers of the boxes (n, 2) if there are no positions."""
        if self.positions is not None:
            return self.positions
        assert self.boxes is not None
        return self.boxes[:, :2] + 0.5 * self.boxes[:, 2:]

    def select_rows(self, rows: IntN | BoolN | slice) -> "TrackTable":
        """Return the table of some rows, given by a mask (n,), their indices or a slice."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen: dict[str, Any] = {name: None if column is None else column[rows] for name, column in columns.items()}
        return TrackTable(**chosen)

    def select_frames(self, first: int, last: int) -> "TrackTable":
        """Return the table of the frames from ``first`` to ``last``, both included.

        Raises
        ------
        TrackInputError
            If ``last`` is smaller than ``first``.
        """
        return self.select_rows(self._frame_slice(first, last))

    def split_points(self, first: int, last: int) -> list[ND]:
        """Return the points (n_t, p) of each frame from ``first`` to ``last``, both included.

        Frames without objects give an array without rows.
        """
        rows = self._frame_slice(first, last)
        borders = np.searchsorted(self.frame[rows], np.arange(first + 1, last + 1))
        return np.split(self.points[rows], borders)

    def _frame_slice(self, first: int, last: int) -> slice:
        """Return the rows of the frames from ``first`` to ``last``."""
        if last < first:
            raise TrackInputError.frames_reversed(first, last)
        return slice(*np.searchsorted(self.frame, (first, last + 1)).tolist())


def _parse_integers_per_row(column: str, values: ArrayLike, n_rows: int) -> IntN:
    """Return a column of whole numbers (n_rows,); raise TrackInputError for another length."""
    integers = parse_integers(column, values)
    if len(integers) != n_rows:
        raise TrackInputError.not_one_per_row(column, integers.shape, n_rows)
    return integers


def _concatenate_frames(column: str, values: Sequence[ArrayLike], counts: list[int]) -> AnyArray:
    """Return the rows of all frames one after the other; frames without objects may be [] or of any width."""
    if len(values) != len(counts):
        raise TrackInputError.different_n_frames(column, len(values), "labels", len(counts))
    arrays = [np.asarray(frame_values) for frame_values in values]
    for count, array in zip(counts, arrays, strict=True):
        if (len(array) if array.ndim else 1) != count:
            raise TrackInputError.wrong_n_rows_in_frame(column, array.shape, count)
    filled = [array for count, array in zip(counts, arrays, strict=True) if count]
    if not filled:
        return np.empty(0)
    widths = {array.shape[1:] for array in filled}
    if len(widths) > 1:
        raise TrackInputError.different_widths(column)
    return np.concatenate(filled)


def _freeze(column: AnyArray) -> AnyArray:
    """Return the array, which nobody can write to any more."""
    column.flags.writeable = False
    return column


def _require_distinct_labels(frame: IntN, label: IntN) -> None:
    """Raise TrackInputError if a label other than -1 occurs twice in a frame; rows are sorted by frame and label."""
    is_repeated = (frame[1:] == frame[:-1]) & (label[1:] == label[:-1]) & (label[1:] != NO_LABEL)
    if is_repeated.any():
        row = int(np.argmax(is_repeated))
        raise TrackInputError.repeated_label(int(label[row]), int(frame[row]))
