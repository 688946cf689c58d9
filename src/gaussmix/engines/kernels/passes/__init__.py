"""Compiled kernels of one E-step over the rows."""
