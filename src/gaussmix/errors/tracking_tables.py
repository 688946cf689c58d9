"""Errors about tables of labelled positions or boxes, sets of points, and the measures that compare them."""

from gaussmix.errors.data import DataError
from gaussmix.errors.text import format_count


class TrackInputError(DataError):
    """Columns of a table of tracks, or sets of points, that cannot be used."""

    @classmethod
    def not_whole(cls, column: str, value: object, row: int) -> "TrackInputError":
        """Return the error that a column of integers has another value."""
        return cls(f"{column} must be whole numbers, but has {value} in row {row}; rows count from 0")

    @classmethod
    def not_one_per_row(cls, column: str, shape: tuple[int, ...], n_rows: int) -> "TrackInputError":
        """Return the error that a column has more or fewer entries than there are rows."""
        return cls(f"{column} must have the shape ({n_rows},), one entry per row of frame, but has {shape}")

    @classmethod
    def wrong_shape(cls, column: str, shape: tuple[int, ...], n_rows: int, allowed: str) -> "TrackInputError":
        """Return the error that positions or boxes have another shape."""
        return cls(f"{column} must have the shape ({n_rows}, {allowed}), but has {shape}; pass one row per object")

    @classmethod
    def not_numeric_column(cls, column: str, cause: Exception) -> "TrackInputError":
        """Return the error that a column holds text, dates or complex numbers."""
        return cls(f"{column} must be numbers: {cause}; convert it first")

    @classmethod
    def no_coordinates(cls) -> "TrackInputError":
        """Return the error that a table has neither positions nor boxes."""
        return cls("a table of tracks needs positions or boxes, but has neither; pass at least one of them")

    @classmethod
    def not_finite_entry(cls, column: str, value: float, row: int) -> "TrackInputError":
        """Return the error that a column contains NaN or infinity."""
        return cls(f"{column} must be finite, but has {value} in row {row}; drop that row (rows count from 0)")

    @classmethod
    def negative_size(cls, side: str, value: float, row: int) -> "TrackInputError":
        """Return the error that a box has a negative width or height."""
        return cls(
            f"the {side} of a box must be at least 0, but is {value} in row {row}; boxes are left, top, width, height"
        )

    @classmethod
    def repeated_label(cls, label: int, frame: int) -> "TrackInputError":
        """Return the error that a label occurs twice in a frame."""
        return cls(
            f"label {label} occurs twice in frame {frame}; a label names one object, and -1 names none, so that it "
            "may repeat"
        )

    @classmethod
    def wrong_n_rows_in_frame(cls, column: str, shape: tuple[int, ...], n_labels: int) -> "TrackInputError":
        """Return the error that a frame has another number of rows than labels."""
        return cls(
            f"{column} has an array of the shape {shape} in a frame of {format_count(n_labels, 'label')}; pass one "
            "row per label"
        )

    @classmethod
    def different_widths(cls, column: str) -> "TrackInputError":
        """Return the error that the rows of two frames have different numbers of coordinates."""
        return cls(f"{column} has different numbers of coordinates in different frames; use the same in all frames")

    @classmethod
    def frames_reversed(cls, first: int, last: int) -> "TrackInputError":
        """Return the error that a range of frames ends before it begins."""
        return cls(f"the range of frames ends at {last}, before it begins at {first}; swap them")

    @classmethod
    def not_points(cls, name: str, shape: tuple[int, ...]) -> "TrackInputError":
        """Return the error that a set is no table of points."""
        return cls(
            f"{name} must have the shape (n, p), one point per row, but has {shape}; a single point is [[x, y]], and "
            "an empty set []"
        )

    @classmethod
    def different_dimensions(cls, n_estimated: int, n_true: int) -> "TrackInputError":
        """Return the error that the points of two sets have different numbers of coordinates."""
        return cls(
            f"estimated points have {format_count(n_estimated, 'coordinate')}, but true points have {n_true}; pass "
            "the same coordinates of both"
        )

    @classmethod
    def different_n_frames(cls, name: str, n_frames: int, other_name: str, n_other_frames: int) -> "TrackInputError":
        """Return the error that two lists have different numbers of frames."""
        return cls(
            f"{name} has {format_count(n_frames, 'frame')}, but {other_name} has {n_other_frames}; pass one entry per "
            "frame in both, [] if it is empty"
        )

    @classmethod
    def no_frames(cls) -> "TrackInputError":
        """Return the error that there is no frame to average over."""
        return cls("estimated and true have 0 frames, so there is no average; pass at least one frame")


class TrackEvaluationError(DataError):
    """Tables of tracks that cannot be compared."""

    @classmethod
    def no_truth(cls) -> "TrackEvaluationError":
        """Return the error that the truth is empty."""
        return cls("truth has 0 rows, so that accuracy is undefined; pass at least one true object")

    @classmethod
    def no_boxes(cls, name: str) -> "TrackEvaluationError":
        """Return the error that boxes are compared, but a table has none."""
        return cls(
            f"{name} has no boxes to compare; pass a table with boxes, or similarity=PointProximity(zero_distance)"
        )

    @classmethod
    def rows_without_label(cls, name: str, n_rows: int) -> "TrackEvaluationError":
        """Return the error that rows of a table belong to no object."""
        return cls(
            f"{name} has {format_count(n_rows, 'row')} of label -1, which names no object; give every row a label, "
            "or drop these rows"
        )
