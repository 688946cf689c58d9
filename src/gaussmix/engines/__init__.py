"""Engines: each computes the same passes over the rows with other arithmetic."""

from gaussmix.engines.automatic import ENGINE_NAMES, AutomaticEngine, resolve_engine
from gaussmix.engines.base import AbstractEngine, AbstractSession, AssignmentKind, BatchEngine
from gaussmix.engines.fused_runner import AbstractFusedRunner, SupportsFusedRuns
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.engines.reference import ReferenceEngine

__all__ = [
    "ENGINE_NAMES",
    "AbstractEngine",
    "AbstractFusedRunner",
    "AbstractSession",
    "AssignmentKind",
    "AutomaticEngine",
    "BatchEngine",
    "NumpyEngine",
    "ReferenceEngine",
    "SupportsFusedRuns",
    "resolve_engine",
]
