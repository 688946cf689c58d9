"""Mixtures of numeric and categorical columns with missing cells: EM, and refinement towards the classes."""
