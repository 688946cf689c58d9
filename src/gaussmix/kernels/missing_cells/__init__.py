"""Kernels of rows that lack cells."""
