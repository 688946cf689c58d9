"""Solvers that maximise the likelihood by its gradient."""
