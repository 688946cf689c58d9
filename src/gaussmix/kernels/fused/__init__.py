"""Compiled EM runs: E-steps and M-steps in one function."""
