"""Measures of multi-target tracking: distances of sets of points, and measures of labelled tracks."""
