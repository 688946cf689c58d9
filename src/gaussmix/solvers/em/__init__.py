"""Solvers that maximise the likelihood by EM, its accelerations and its variants."""
