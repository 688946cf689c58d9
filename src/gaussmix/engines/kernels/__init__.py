"""The compiled engine. Importing it loads LLVM; Numba is imported only when code must be compiled."""

from gaussmix.engines.kernels.engine import CompiledEngine

__all__ = ["CompiledEngine"]
