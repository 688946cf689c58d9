"""Benchmarks of speed and memory: gaussmix and every installed peer on the same data from the same start."""
