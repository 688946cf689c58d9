"""Compile kernels to object files, keep these on disk, and load them."""
