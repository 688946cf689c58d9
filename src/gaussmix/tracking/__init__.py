"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

from gaussmix.tracking.background.background_mixture import BackgroundMixture
from gaussmix.tracking.background.blob_detector import BlobDetector, Blobs
from gaussmix.tracking.video.annotation import draw_boxes, draw_mask
from gaussmix.tracking.video.video_reader import VideoFrame, VideoReader, read_frames
from gaussmix.tracking.video.video_writer import VideoWriter

__all__ = [
    "BackgroundMixture",
    "BlobDetector",
    "Blobs",
    "VideoFrame",
    "VideoReader",
    "VideoWriter",
    "draw_boxes",
    "draw_mask",
    "read_frames",
]
