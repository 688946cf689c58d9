"""Where rows come from: each source hands them over in blocks of fixed size, in a fixed order."""

from gaussmix.sources.base import AbstractSource
from gaussmix.sources.memory import MemorySource

__all__ = ["AbstractSource", "MemorySource"]
