"""Track objects: from points, boxes or video to labelled tracks, with mixtures as the state of what may be there."""

from gaussmix.tracking.birth import Birth
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.cphd import GMCPHD
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.motion import CombinedMotion, ConstantAcceleration, ConstantVelocity, RandomWalk
from gaussmix.tracking.phd import GMPHD
from gaussmix.tracking.pmb import PMB
from gaussmix.tracking.sensors import BoxSensor, PositionSensor, RangeBearingSensor
from gaussmix.tracking.spawning import Spawn
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import ReductionLimits

__all__ = [
    "GMCPHD",
    "GMPHD",
    "PMB",
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
    "Spawn",
    "TargetModel",
]
