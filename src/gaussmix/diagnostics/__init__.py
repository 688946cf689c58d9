"""Diagnosis of single columns before a fit: which of them no Gaussian describes, and why."""

from gaussmix.diagnostics.columns import (
    ColumnDiagnosis,
    describe_diagnoses,
    diagnose_columns,
    diagnose_parsed_columns,
    keep_unmended_diagnoses,
)

__all__ = [
    "ColumnDiagnosis",
    "describe_diagnoses",
    "diagnose_columns",
    "diagnose_parsed_columns",
    "keep_unmended_diagnoses",
]
