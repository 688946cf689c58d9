"""Kernels of object tracking: merging of components, belief propagation."""
