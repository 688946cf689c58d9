"""Validate classifiers of tables: folds, a split in time, and other models on the same splits."""
