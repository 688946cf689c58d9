"""The compiled engine; importing it loads LLVM, and Numba only where code is missing."""

from gaussmix.engines.kernels.engine import CompiledEngine

__all__ = ["CompiledEngine"]
