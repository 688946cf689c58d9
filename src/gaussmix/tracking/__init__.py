"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

from gaussmix.tracking.background.background_mixture import BackgroundMixture
from gaussmix.tracking.background.blob_detector import BlobDetector, Blobs

__all__ = ["BackgroundMixture", "BlobDetector", "Blobs"]
