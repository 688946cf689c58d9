"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

from gaussmix.model import reduce_mixture
from gaussmix.tracking.birth import Birth
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.function_models import FunctionMotion, FunctionSensor
from gaussmix.tracking.model_fitting.target_model_fit import TargetModelFit, fit_target_model
from gaussmix.tracking.motion import CombinedMotion, ConstantAcceleration, ConstantVelocity, RandomWalk
from gaussmix.tracking.pmb import PMB
from gaussmix.tracking.sensors import BoxSensor, PositionSensor, RangeBearingSensor
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.tracking.switching import SwitchingMotion
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import ReductionLimits
from gaussmix.tracking.turning import CoordinatedTurn
from gaussmix.tracking.white_noise_motion import WhiteNoiseMotion

__all__ = [
    "PMB",
    "Birth",
    "BoxSensor",
    "Clutter",
    "CombinedMotion",
    "ConstantAcceleration",
    "ConstantVelocity",
    "CoordinatedTurn",
    "Estimates",
    "FunctionMotion",
    "FunctionSensor",
    "PositionSensor",
    "RandomWalk",
    "RangeBearingSensor",
    "ReductionLimits",
    "StateLayout",
    "SwitchingMotion",
    "TargetModel",
    "TargetModelFit",
    "WhiteNoiseMotion",
    "fit_target_model",
    "reduce_mixture",
]
