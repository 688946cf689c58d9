"""Errors about boxes of a detector and trackers of boxes."""

from gaussmix.errors.data import DataError


class BoxTrackingError(DataError):
    """Boxes of a detector that cannot be tracked."""

    @classmethod
    def no_boxes(cls) -> "BoxTrackingError":
        """Return the error that a table has positions only."""
        return cls("the table has no boxes; pass a TrackTable with boxes of left, top, width and height")

    @classmethod
    def no_area(cls, side: str, value: float, row: int, minimum: float) -> "BoxTrackingError":
        """Return the error that a box has no width or height."""
        return cls(
            f"the {side} of a box must be at least {minimum:g}, but is {value} in row {row}; boxes are left, top, "
            "width, height, and rows count from 0"
        )

    @classmethod
    def too_far(cls, value: float, row: int, maximum: float) -> "BoxTrackingError":
        """Return the error that a box is too large, or lies too far from the origin."""
        return cls(
            f"coordinates and sides of boxes must be at most {maximum:g}, but row {row} has {value:g}; remove the row"
        )

    @classmethod
    def wrong_n_confidences(cls, shape: tuple[int, ...], n_boxes: int) -> "BoxTrackingError":
        """Return the error that there is not one confidence per box."""
        return cls(f"confidences must have the shape ({n_boxes},), one for each box, but has {shape}")

    @classmethod
    def not_numeric_confidences(cls, cause: Exception) -> "BoxTrackingError":
        """Return the error that confidences cannot be converted to numbers."""
        return cls(f"confidences must be numbers from 0 to 1: {cause}; convert them first, or pass none")

    @classmethod
    def invalid_confidence(cls, value: float, row: int) -> "BoxTrackingError":
        """Return the error that a confidence is not from 0 to 1."""
        return cls(
            f"confidences must be from 0 to 1, but row {row} has {value}; rescale the scores of the detector, or pass "
            "none"
        )

    @classmethod
    def different_n_frames(cls, name: str, n_entries: int, n_frames: int) -> "BoxTrackingError":
        """Return the error that a list has another number of frames."""
        return cls(f"{name} has {n_entries} entries, but there are {n_frames} frames; pass one for each frame")
