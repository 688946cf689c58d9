"""Agglomerative clustering: all merges of a few hundred groups without Python."""
