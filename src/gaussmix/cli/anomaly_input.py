"""Files that ``gaussmix anomalies`` reads: the rows to judge, normal rows to learn from, and verdicts of people."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gaussmix.cli.column_options import ColumnOptions
from gaussmix.cli.column_selection import (
    WAYS_OUT_WITHOUT_DROP,
    WAYS_OUT_WITHOUT_OPTIONS,
    exclude_columns,
    select_columns_for_model,
    select_numeric_columns,
)
from gaussmix.cli.identifier_columns import split_identifiers
from gaussmix.cli.table_columns import Column
from gaussmix.cli.table_format import TableFormat
from gaussmix.cli.table_reader import Table, read_table
from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN
from gaussmix.errors import TrainingRowsError, VerdictTableError
from gaussmix.errors.text import format_count, join_with_commas
from gaussmix.types import ND, AnyArray, BoolN, IntN

_VERDICT_COLUMN, _ROW_COLUMN = "verdict", "data_row"
_VERDICTS: dict[object, bool] = {"anomaly": True, "normal": False, "true": True, "false": False, 1.0: True, 0.0: False}


@dataclass(frozen=True, eq=False)
class AnomalyInput:
    """The rows (n, D) to judge and the rows (m, D) known to be normal, or None, in the same columns."""

    names: tuple[str, ...]
    rows: ND
    identifiers: dict[str, AnyArray]
    training_rows: ND | None
    notes: tuple[str, ...]


def read_rows(
    file: Path,
    train: Path | None,
    options: ColumnOptions,
    identifier_names: Sequence[str] | None,
    table_format: TableFormat,
) -> AnomalyInput:
    """Read the rows to judge and, if there is a file of normal rows, those; its columns are the columns to use.

    Raises
    ------
    FileError, ColumnNameError
        If a file or a column cannot be used.
    """
    table = exclude_columns(read_table(file, table_format), options.excluded)
    own = split_identifiers(table, identifier_names, options.names)
    if train is None:
        selected = select_numeric_columns(own.table, options.names, ways_out=WAYS_OUT_WITHOUT_DROP)
        return AnomalyInput(selected.names, selected.rows, own.identifiers, None, (*own.notes, *selected.notes))
    normal = split_identifiers(read_table(train, table_format), None, options.names).table
    left_out = {*own.identifiers, *options.excluded}
    usable = replace(normal, columns=tuple(column for column in normal.columns if column.name not in left_out))
    selected = select_numeric_columns(usable, options.names, ways_out=WAYS_OUT_WITHOUT_DROP)
    missing = [name for name in selected.names if name not in own.table.column_names]
    if missing:
        raise TrainingRowsError.missing_columns(file, train, missing)
    rows = select_columns_for_model(own.table, selected.names, len(selected.names), ways_out=WAYS_OUT_WITHOUT_DROP).rows
    notes = [*own.table.notes, *own.notes, *_notes_on_ignored_columns(own.table, selected.names), *selected.notes]
    notes += _notes_on_shared_rows(rows, selected.rows, train)
    return AnomalyInput(selected.names, rows, own.identifiers, selected.rows, tuple(notes))


def read_rows_for_detector(
    file: Path,
    feature_names: Sequence[str] | None,
    n_features: int,
    identifier_names: Sequence[str] | None,
    table_format: TableFormat,
) -> AnomalyInput:
    """Read the rows to judge by a saved detector, whose columns are found by name, or without names by position."""
    own = split_identifiers(read_table(file, table_format), identifier_names, feature_names)
    selected = select_columns_for_model(own.table, feature_names, n_features, ways_out=WAYS_OUT_WITHOUT_OPTIONS)
    notes = (*own.notes, *_notes_on_ignored_columns(own.table, selected.names), *selected.notes)
    return AnomalyInput(selected.names, selected.rows, own.identifiers, None, notes)


def _notes_on_ignored_columns(table: Table, names: Sequence[str]) -> list[str]:
    """Return a note on numeric columns of the table that the training rows do not have; empty without such columns."""
    ignored = [column.name for column in table.numeric_columns if column.name not in names]
    if not ignored:
        return []
    return [f"left out, because the training rows do not have them: {join_with_commas(ignored, MAX_NAMES_SHOWN)}."]


def _notes_on_shared_rows(rows: ND, training_rows: ND, train: Path) -> list[str]:
    """Return a note if rows to judge are among the training rows; empty if none are."""
    training = {row.tobytes() for row in training_rows}
    count = sum(row.tobytes() in training for row in rows)
    if not count:
        return []
    are = "is" if count == 1 else "are"
    return [
        f"{format_count(count, 'row')} {are} in {train.name}, too; their p-values are too large, and the rate is not "
        "guaranteed for them."
    ]


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Judged rows (m, D), and whether each is an anomaly, (m,)."""

    rows: ND
    is_anomaly: BoolN

    def apply(self, rows: ND, flags: BoolN) -> BoolN:
        """Return flags (n,) of rows (n, D) in which each judged row has its verdict, the last one if there are more."""
        known = {row.tobytes(): verdict for row, verdict in zip(self.rows, self.is_anomaly.tolist(), strict=True)}
        return np.array([known.get(row.tobytes(), flag) for row, flag in zip(rows, flags.tolist(), strict=True)])


def read_verdicts(path: Path, names: Sequence[str], rows: ND) -> Verdicts:
    """Read what people say about rows: a table with the column 'verdict', and the rows or their numbers.

    Rows are values of the columns ``names``, or else numbers from 1 of ``rows`` (n, D) in a column 'data_row', as in
    the output of the command. Rows without a verdict are left out.

    Raises
    ------
    FileError, ColumnNameError
        If the file, a column or a value cannot be used.
    """
    table = read_table(path)
    columns = {column.name: column for column in table.columns}
    if _VERDICT_COLUMN not in columns:
        raise VerdictTableError.no_verdict_column(path)
    answers = _parse_verdicts(path, columns[_VERDICT_COLUMN], table.n_rows)
    judged = np.flatnonzero([answer is not None for answer in answers])
    if not len(judged):
        raise VerdictTableError.no_verdicts(path)
    is_anomaly = np.array([bool(answers[i]) for i in judged])
    if _ROW_COLUMN in columns and not set(names) <= set(columns):
        return Verdicts(rows[_parse_row_numbers(path, columns[_ROW_COLUMN], judged, len(rows))], is_anomaly)
    if not set(names) & set(columns):
        raise VerdictTableError.no_row_column(path)
    selected = select_columns_for_model(table, names, len(names), ways_out=WAYS_OUT_WITHOUT_OPTIONS)
    return Verdicts(selected.rows[judged], is_anomaly)


def _parse_verdicts(path: Path, column: Column, n_rows: int) -> list[bool | None]:
    """Return the verdict of each row, None where there is none; raise VerdictTableError for other words."""
    values: Sequence[object]
    if column.is_numeric:
        values = [None if np.isnan(value) else value for value in column.values.tolist()]
    else:
        values = column.load_texts() or [None] * n_rows
    answers: list[bool | None] = []
    for row, value in enumerate(values):
        word = value.strip().lower() if isinstance(value, str) else value
        if word is not None and word != "" and word not in _VERDICTS:
            raise VerdictTableError.unknown_verdict(path, row + 1, value)
        answers.append(None if word is None or word == "" else _VERDICTS[word])
    return answers


def _parse_row_numbers(path: Path, column: Column, judged: IntN, n_rows: int) -> IntN:
    """Return the positions, from 0, of judged rows (m,); raise VerdictTableError if one has no number of a row."""
    numbers = column.values if column.is_numeric else np.full(int(judged.max()) + 1, np.nan)
    for row in judged.tolist():
        if not (1 <= numbers[row] <= n_rows and numbers[row] == round(numbers[row])):
            value = f"{numbers[row]:.10g}" if column.is_numeric else "no number"
            raise VerdictTableError.unknown_row(path, row + 1, value, n_rows)
    return np.asarray(numbers[judged], dtype=np.int64) - 1
