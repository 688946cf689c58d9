"""Where rows come from: each source hands them over in blocks of fixed size, in a fixed order."""

from gaussmix.sources.base import AbstractSource, SupportsRowHashSplit, require_capability
from gaussmix.sources.memory import MemorySource
from gaussmix.sources.sinks import AbstractSink, ArraySink

__all__ = [
    "AbstractSink",
    "AbstractSource",
    "ArraySink",
    "MemorySource",
    "SupportsRowHashSplit",
    "require_capability",
]
