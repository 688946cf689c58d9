"""Compile kernels to object files, cache these on disk, load and call them."""
