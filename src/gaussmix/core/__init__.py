"""Numeric values shared by all packages: batches, moments, frames, precision roots, linear algebra, threads."""
