"""Classify rows of tables by mixtures, and predict which customers leave."""

from gaussmix.classification.table import EncodedRows, TableSchema, fit_table_schema

__all__ = ["EncodedRows", "TableSchema", "fit_table_schema"]
