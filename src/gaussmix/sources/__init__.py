"""Where rows come from: each source hands them over in blocks of fixed size, in a fixed order."""

from gaussmix.sources.base import AbstractSource, SupportsRowHashSplit, require_capability
from gaussmix.sources.incomplete import IncompleteSource, make_scoring_source
from gaussmix.sources.memory import MemorySource
from gaussmix.sources.sinks import AbstractSink, ArraySink

__all__ = [
    "AbstractSink",
    "AbstractSource",
    "ArraySink",
    "IncompleteSource",
    "MemorySource",
    "SupportsRowHashSplit",
    "make_scoring_source",
    "require_capability",
]
