"""Engines: each computes the same passes over the rows with other arithmetic."""

from gaussmix.engines.agglomerator import AbstractAgglomerator, SupportsAgglomeration
from gaussmix.engines.automatic import AutomaticEngine
from gaussmix.engines.base import AbstractEngine, AbstractSession, AssignmentKind, BatchEngine
from gaussmix.engines.fused_runner import AbstractFusedRunner, SupportsFusedRuns
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.engines.reference import ReferenceEngine
from gaussmix.engines.resolver import ENGINE_NAMES, resolve_engine

__all__ = [
    "ENGINE_NAMES",
    "AbstractAgglomerator",
    "AbstractEngine",
    "AbstractFusedRunner",
    "AbstractSession",
    "AssignmentKind",
    "AutomaticEngine",
    "BatchEngine",
    "NumpyEngine",
    "ReferenceEngine",
    "SupportsAgglomeration",
    "SupportsFusedRuns",
    "resolve_engine",
]
