"""Who touches the rows: each engine computes the same pass with other arithmetic."""

from gaussmix.engines.base import AbstractEngine, Assign
from gaussmix.engines.blocked import BlockedEngine
from gaussmix.engines.choice import AutomaticEngine
from gaussmix.engines.reference import ReferenceEngine

__all__ = ["AbstractEngine", "Assign", "AutomaticEngine", "BlockedEngine", "ReferenceEngine"]
