"""Columns of a schema as records of texts, numbers and lists, which JSON stores with all digits, and back.

The functions that read records raise KeyError, TypeError or ValueError if a record is invalid.
"""

import math
from typing import Any

import numpy as np

from gaussmix.classification.table.encoded_columns import (
    CategoricalColumn,
    DataRange,
    LevelReading,
    LinearReading,
    NumericColumn,
)
from gaussmix.classification.table.far_values import Limits
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.ordered_numbers import OrderedNumbers
from gaussmix.transforms import ColumnTransforms

Record = dict[str, Any]


def reader_to_record(reader: InputColumn) -> Record:
    """Return the record of a column of the table; infinite limits are None."""
    return {
        "name": reader.name,
        "is_numeric": reader.is_numeric,
        "values": list(reader.values),
        "limits": [None if np.isinf(limit) else limit for limit in reader.limits],
        "level_starts": None if reader.ordered is None else list(reader.ordered.starts),
    }


def reader_from_record(record: Record) -> InputColumn:
    """Return the column of the table of a record."""
    lowest, highest = record["limits"]
    limits = Limits(-np.inf if lowest is None else float(lowest), np.inf if highest is None else float(highest))
    values = tuple(record["values"])
    if not all(isinstance(value, str | bool | int | float) for value in values):
        raise ValueError("a known value is neither text nor a number")
    starts = record["level_starts"]
    ordered = None if starts is None else OrderedNumbers(tuple(map(_require_number, values)), tuple(map(int, starts)))
    return InputColumn(_require_text(record["name"]), bool(record["is_numeric"]), values, limits, ordered)


def numeric_to_record(column: NumericColumn) -> Record:
    """Return the record of a numeric column."""
    return {
        "name": column.name,
        "readings": [[list(reading.columns), list(reading.slopes), reading.intercept] for reading in column.readings],
        "points": list(column.points),
        "transform": ColumnTransforms((column.transform,)).to_json(),
        "unit": column.unit,
        "center": column.center,
        "scale": column.scale,
        "range": list(column.data_range),
        "tolerance": column.tolerance,
    }


def numeric_from_record(record: Record) -> NumericColumn:
    """Return the numeric column of a record."""
    readings = tuple(
        LinearReading(tuple(map(_require_text, columns)), tuple(map(float, slopes)), float(intercept))
        for columns, slopes, intercept in record["readings"]
    )
    if not readings or any(len(reading.columns) != len(reading.slopes) for reading in readings):
        raise ValueError("a numeric column has no readings, or not one slope per column")
    unit, scale = float(record["unit"]), float(record["scale"])
    if not (0.0 < unit < np.inf and 0.0 < scale < np.inf):
        raise ValueError("units and scales must be positive")
    return NumericColumn(
        _require_text(record["name"]),
        readings,
        tuple(map(float, record["points"])),
        ColumnTransforms.from_json(record["transform"], 1).transforms[0],
        unit,
        float(record["center"]),
        scale,
        DataRange(*map(float, record["range"])),
        float(record["tolerance"]),
    )


def categorical_to_record(column: CategoricalColumn) -> Record:
    """Return the record of a categorical column."""
    return {
        "name": column.name,
        "readings": [[reading.column, list(reading.levels), list(reading.sources)] for reading in column.readings],
        "levels": list(column.levels),
    }


def categorical_from_record(record: Record) -> CategoricalColumn:
    """Return the categorical column of a record."""
    levels = tuple(record["levels"])
    readings = tuple(
        LevelReading(_require_text(column), tuple(map(int, codes)), tuple(map(_require_text, sources)))
        for column, codes, sources in record["readings"]
    )
    if not readings or any(not -1 <= code < len(levels) for reading in readings for code in reading.levels):
        raise ValueError("a categorical column has no readings, or the code of a level that it does not have")
    return CategoricalColumn(_require_text(record["name"]), readings, levels)


def _require_text(value: object) -> str:
    """Return a text; raise TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError("a name must be a text")
    return value


def _require_number(value: object) -> float:
    """Return a number; raise TypeError for anything else, also for a bool and NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise TypeError("an ordered value must be a number")
    return value
