"""Compile kernels to object files, and link these to the shared library."""
