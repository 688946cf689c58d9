"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

from gaussmix.tracking.background.background_mixture import BackgroundMixture
from gaussmix.tracking.background.blob_detector import BlobDetector, Blobs
from gaussmix.tracking.birth import Birth
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.cphd import GMCPHD
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.metrics.evaluation import TrackEvaluation, evaluate_tracks
from gaussmix.tracking.metrics.frame_average import average_over_frames
from gaussmix.tracking.metrics.gospa import GOSPA, gospa
from gaussmix.tracking.metrics.ospa import OSPA, ospa, ospa2
from gaussmix.tracking.metrics.similarity import BoxOverlap, PointProximity
from gaussmix.tracking.model_fitting.target_model_fit import TargetModelFit, fit_target_model
from gaussmix.tracking.mot_files import MotWriter, read_mot, write_mot
from gaussmix.tracking.motion import CombinedMotion, ConstantAcceleration, ConstantVelocity, RandomWalk
from gaussmix.tracking.phd import GMPHD
from gaussmix.tracking.pmb import PMB
from gaussmix.tracking.sensors import BoxSensor, PositionSensor, RangeBearingSensor
from gaussmix.tracking.spawning import Spawn
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_table import TrackTable
from gaussmix.tracking.tracks import ReductionLimits
from gaussmix.tracking.video.annotation import draw_boxes, draw_mask
from gaussmix.tracking.video.video_reader import VideoFrame, VideoReader, read_frames
from gaussmix.tracking.video.video_writer import VideoWriter

__all__ = [
    "GMCPHD",
    "GMPHD",
    "GOSPA",
    "OSPA",
    "PMB",
    "BackgroundMixture",
    "Birth",
    "BlobDetector",
    "Blobs",
    "BoxOverlap",
    "BoxSensor",
    "Clutter",
    "CombinedMotion",
    "ConstantAcceleration",
    "ConstantVelocity",
    "Estimates",
    "MotWriter",
    "PointProximity",
    "PositionSensor",
    "RandomWalk",
    "RangeBearingSensor",
    "ReductionLimits",
    "Spawn",
    "TargetModel",
    "TargetModelFit",
    "TrackEvaluation",
    "TrackTable",
    "VideoFrame",
    "VideoReader",
    "VideoWriter",
    "average_over_frames",
    "draw_boxes",
    "draw_mask",
    "evaluate_tracks",
    "fit_target_model",
    "gospa",
    "ospa",
    "ospa2",
    "read_frames",
    "read_mot",
    "write_mot",
]
