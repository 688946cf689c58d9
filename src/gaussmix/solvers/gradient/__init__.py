"""Solvers that follow the gradient of the likelihood: L-BFGS, Adam and plain gradient steps."""
