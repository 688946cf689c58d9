"""Errors about object tracking: detections and recordings."""

from gaussmix.errors.data import DataError
from gaussmix.errors.text import format_count


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
    def no_tracks(cls, n_scans: int, n_detections: int) -> "TrackingDataError":
        """Return the error that no object could be followed."""
        return cls(
            f"none of the {format_count(n_detections, 'detection')} in {format_count(n_scans, 'scan')} can be followed "
            "through three scans, so no model can be estimated; check the columns of time and coordinates, or give the "
            "model"
        )
