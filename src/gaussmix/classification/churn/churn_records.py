"""Segments, summaries and customers as records, which JSON stores with all digits, and back.

The functions that read records raise one of ``DAMAGE_ERRORS`` if a record is invalid.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from gaussmix.classification.churn.column_summary import CategoricalSummary, ColumnSummary, NumericSummary
from gaussmix.classification.churn.customer_rows import CustomerRows
from gaussmix.classification.churn.reference_customers import ReferenceCustomers
from gaussmix.classification.churn.segment_number import SegmentCandidate
from gaussmix.classification.churn.segment_profiles import (
    CategoricalProfile,
    ColumnProfile,
    NumericProfile,
    SegmentProfile,
)
from gaussmix.classification.churn.segment_rates import SegmentRate
from gaussmix.classification.churn.segments import Segment, Segments, make_segment
from gaussmix.classification.evaluation.rate_intervals import Interval

Record = dict[str, Any]
_TUPLES = ("levels", "fractions", "overall_fractions", "values")


def segments_to_record(segments: Segments) -> Record:
    """Return the record of segments, without the typical customers, who are references."""
    return {
        "segments": [_segment_to_record(segment) for segment in segments],
        "churn_rate": segments.churn_rate,
        "level": segments.level,
        "candidates": [asdict(candidate) for candidate in segments.candidates],
        "notes": list(segments.notes),
    }


def segments_from_record(record: Record, references: ReferenceCustomers) -> Segments:
    """Return the segments of a record."""
    segments = tuple(_segment_from_record(each, k, references) for k, each in enumerate(record["segments"]))
    candidates = tuple(SegmentCandidate(**each) for each in record["candidates"])
    return Segments(segments, record["churn_rate"], record["level"], candidates, tuple(record["notes"]))


def _segment_to_record(segment: Segment) -> Record:
    """Return the record of a segment."""
    return {
        "n_customers": segment.n_customers,
        "fraction": segment.fraction,
        "churn_rate": [segment.churn_rate.rate, *segment.churn_rate.interval, segment.churn_rate.effective_count],
        "columns": [_profile_to_record(profile) for profile in segment.profile.columns],
        "named_columns": list(segment.profile.named_columns),
    }


def _segment_from_record(record: Record, position: int, references: ReferenceCustomers) -> Segment:
    """Return the segment at a position."""
    rate, low, high, effective_count = record["churn_rate"]
    profile = SegmentProfile(tuple(map(_profile_from_record, record["columns"])), tuple(record["named_columns"]))
    return make_segment(
        position,
        record["n_customers"],
        record["fraction"],
        SegmentRate(rate, Interval(low, high), effective_count),
        profile,
        references,
    )


def _profile_to_record(profile: ColumnProfile) -> Record:
    """Return the record of a column of a segment."""
    return {"is_numeric": isinstance(profile, NumericProfile)} | asdict(profile)


def _profile_from_record(record: Record) -> ColumnProfile:
    """Return the column of a segment of a record."""
    fields = _restore_tuples(record)
    return NumericProfile(**fields) if fields.pop("is_numeric") else CategoricalProfile(**fields)


def _restore_tuples(record: Record) -> Record:
    """Return a copy of a record in which lists are tuples, as before JSON."""
    return {name: tuple(value) if name in _TUPLES else value for name, value in record.items()}


def summary_to_record(summary: ColumnSummary) -> Record:
    """Return the record of a summary."""
    arrays = {name: value.tolist() for name, value in vars(summary).items() if isinstance(value, np.ndarray)}
    return {"is_numeric": isinstance(summary, NumericSummary)} | vars(summary) | arrays


def summary_from_record(record: Record) -> ColumnSummary:
    """Return the summary of a record."""
    fields = _restore_tuples(record)
    if fields.pop("is_numeric"):
        for name in ("points", "cumulative"):
            fields[name] = np.array(fields[name], dtype=np.float64)
        if fields["points"].shape != fields["cumulative"].shape:
            raise ValueError("a distribution function does not have one fraction for each point")
        return NumericSummary(**fields)
    fields["counts"] = np.array(fields["counts"], dtype=np.float64)
    if len(fields["counts"]) != len(fields["values"]):
        raise ValueError("a categorical column does not have one count for each value")
    return CategoricalSummary(**fields)


def references_to_record(references: ReferenceCustomers) -> Record:
    """Return the record of reference customers, with all their cells."""
    rows = references.rows
    return {
        "positions": rows.positions.tolist(),
        "columns": list(rows.columns),
        "cells": [list(row) for row in rows.cells],
        "segments": references.segments.tolist(),
        "has_left": references.has_left.tolist(),
    }


def references_from_record(record: Record) -> ReferenceCustomers:
    """Return the reference customers of a record."""
    columns, cells = tuple(record["columns"]), tuple(tuple(row) for row in record["cells"])
    positions = np.array(record["positions"], dtype=np.int64)
    segments, has_left = np.array(record["segments"], dtype=np.int64), np.array(record["has_left"], dtype=bool)
    if not len(cells) == len(positions) == len(segments) == len(has_left) or {len(row) for row in cells} != {
        len(columns)
    }:
        raise ValueError("reference customers do not have one cell for each column")
    return ReferenceCustomers(CustomerRows(positions, columns, cells), segments, has_left)
