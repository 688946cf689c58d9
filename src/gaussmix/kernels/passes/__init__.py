"""Compiled kernels of one pass over the rows: tiles, scores, responsibilities, sums, screening."""
