"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

from gaussmix.tracking.birth import Birth
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.lmb import LMB
from gaussmix.tracking.model_fitting.target_model_fit import TargetModelFit, fit_target_model
from gaussmix.tracking.motion import CombinedMotion, ConstantAcceleration, ConstantVelocity, RandomWalk
from gaussmix.tracking.pmb import PMB
from gaussmix.tracking.pmbm import PMBM
from gaussmix.tracking.sensors import BoxSensor, PositionSensor, RangeBearingSensor
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import ReductionLimits

__all__ = [
    "LMB",
    "PMB",
    "PMBM",
    "Birth",
    "BoxSensor",
    "Clutter",
    "CombinedMotion",
    "ConstantAcceleration",
    "ConstantVelocity",
    "Estimates",
    "PositionSensor",
    "RandomWalk",
    "RangeBearingSensor",
    "ReductionLimits",
    "TargetModel",
    "TargetModelFit",
    "fit_target_model",
]
