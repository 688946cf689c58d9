"""The engine of compiled functions."""

from gaussmix.engines.compiled.engine import CompiledEngine

__all__ = ["CompiledEngine"]
