"""Compiled EM runs over few rows: E-steps and M-steps in one function."""
