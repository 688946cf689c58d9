from gaussmix.model import reduce_mixture
from gaussmix.tracking.background.background_mixture import BackgroundMixture
from gaussmix.tracking.background.blob_detector import BlobDetector, Blobs
from gaussmix.tracking.birth import Birth
from gaussmix.tracking.boxes.box_tracker import BoxTracker
from gaussmix.tracking.boxes.box_tracks import BoxState, BoxTracks, TrackedBoxes, TrackPhase
from gaussmix.tracking.boxes.gap_filling import fill_gaps
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.cphd import GMCPHD
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.filter_intensity import position_intensity
from gaussmix.tracking.filtering import UpdatedBelief, predict, update
from gaussmix.tracking.function_models import FunctionMotion, FunctionSensor
from gaussmix.tracking.innovations import InnovationTest, check_innovations
from gaussmix.tracking.lmb import LMB
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
from gaussmix.tracking.pmbm import PMBM
from gaussmix.tracking.sensors import BoxSensor, PositionSensor, RangeBearingSensor
from gaussmix.tracking.sequence_filter import FilteredStates, filter_measurements
from gaussmix.tracking.smoothing import SmoothedStates, smooth
from gaussmix.tracking.spawning import Spawn
from gaussmix.tracking.state_filters import IMM, GaussianSumFilter, StateEstimate
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.tracking.switching import SwitchingMotion
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_paths import TrackPath, collect_paths
from gaussmix.tracking.track_table import TrackTable
from gaussmix.tracking.tracks import ReductionLimits
from gaussmix.tracking.turning import CoordinatedTurn
from gaussmix.tracking.video.annotation import draw_boxes, draw_mask
from gaussmix.tracking.video.video_reader import VideoFrame, VideoReader, read_frames
from gaussmix.tracking.video.video_writer import VideoWriter
from gaussmix.tracking.white_noise_motion import WhiteNoiseMotion

__all__ = [
    "GMCPHD",
    "GMPHD",
    "GOSPA",
    "IMM",
    "LMB",
    "OSPA",
    "PMB",
    "PMBM",
    "BackgroundMixture",
    "Birth",
    "BlobDetector",
    "Blobs",
    "BoxOverlap",
    "BoxSensor",
    "BoxState",
    "BoxTracker",
    "BoxTracks",
    "Clutter",
    "CombinedMotion",
    "ConstantAcceleration",
    "ConstantVelocity",
    "CoordinatedTurn",
    "Estimates",
    "FilteredStates",
    "FunctionMotion",
    "FunctionSensor",
    "GaussianSumFilter",
    "InnovationTest",
    "MotWriter",
    "PointProximity",
    "PositionSensor",
    "RandomWalk",
    "RangeBearingSensor",
    "ReductionLimits",
    "SmoothedStates",
    "Spawn",
    "StateEstimate",
    "StateLayout",
    "SwitchingMotion",
    "TargetModel",
    "TargetModelFit",
    "TrackEvaluation",
    "TrackPath",
    "TrackPhase",
    "TrackTable",
    "TrackedBoxes",
    "UpdatedBelief",
    "VideoFrame",
    "VideoReader",
    "VideoWriter",
    "WhiteNoiseMotion",
    "average_over_frames",
    "check_innovations",
    "collect_paths",
    "draw_boxes",
    "draw_mask",
    "evaluate_tracks",
    "fill_gaps",
    "filter_measurements",
    "fit_target_model",
    "gospa",
    "ospa",
    "ospa2",
    "position_intensity",
    "predict",
    "read_frames",
    "read_mot",
    "reduce_mixture",
    "smooth",
    "update",
    "write_mot",
]
