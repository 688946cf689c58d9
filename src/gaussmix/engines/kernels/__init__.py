"""The compiled engine; importing it loads Numba."""

from gaussmix.engines.kernels.engine import KernelEngine

__all__ = ["KernelEngine"]
