"""Who touches the rows: each engine computes the same pass with other arithmetic."""

from gaussmix.engines.automatic import AutomaticEngine
from gaussmix.engines.base import AbstractEngine, AssignmentKind
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.engines.reference import ReferenceEngine

__all__ = ["AbstractEngine", "AssignmentKind", "AutomaticEngine", "NumpyEngine", "ReferenceEngine"]
