"""Kernels: sources of compiled functions, how they are built into a shared library, and how Python calls them."""
