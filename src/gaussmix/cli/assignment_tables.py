"""Tables with the component of each row of a file, which join the file row by row."""

from pathlib import Path

import numpy as np

from gaussmix.cli.mixture_input import MixtureInput
from gaussmix.cli.table_writer import ColumnsByName, write_table, write_table_with_columns
from gaussmix.model import Mixture
from gaussmix.model.noise import relabel_noise_as_minus_one
from gaussmix.model.prediction import uncertainty
from gaussmix.types import AnyArray, BoolN

ROW_NUMBER_NAME = "data_row"
_MIN_LARGE_TABLE_ROWS = 1_000_000  # from here on, a CSV file takes long to write and to read
_SUFFIXES_BY_FORMAT = {"both": (".csv", ".parquet"), "csv": (".csv",), "parquet": (".parquet",)}


def list_assignment_suffixes(table_format: str | None, n_rows: int) -> tuple[str, ...]:
    """Return the endings of the tables to write; by default both, and .parquet only for many rows."""
    if table_format is None:
        table_format = "both" if n_rows < _MIN_LARGE_TABLE_ROWS else "parquet"
    return _SUFFIXES_BY_FORMAT[table_format]


def compute_assignments(mixture: Mixture, file_input: MixtureInput) -> ColumnsByName:
    """Return columns of the m used rows: number of the row from 1, component, K probabilities and others."""
    rows = file_input.selected.rows
    if mixture.dependence is not None:
        rows = mixture.dependence.select_independent(rows)
        mixture = mixture.independent_part
    with file_input.number_errors_by_file():
        probabilities, log_density = mixture.predict_proba(rows), mixture.logpdf(rows)
    return {
        ROW_NUMBER_NAME: file_input.row_numbers,
        "component": relabel_noise_as_minus_one(probabilities.argmax(axis=1), mixture.n_components),
        **{f"probability_{k}": probabilities[:, k] for k in range(mixture.n_components)},
        **({} if mixture.noise is None else {"probability_noise": probabilities[:, -1]}),
        "uncertainty": uncertainty(probabilities),
        "log_density": log_density,
    }


def write_assignments(file_input: MixtureInput, assignments: ColumnsByName, path: Path, has_data: bool) -> None:
    """Write the assignments of all n rows of a file, with empty cells for rows that are not used.

    The identifier columns stand first; with ``has_data`` all columns of the file do, as they are in it.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    columns = _spread_to_all_rows(assignments, file_input.selected.is_used)
    if has_data:
        write_table_with_columns(file_input.table, columns, path)
        return
    identifiers = {
        f"{name} (input)" if name in columns else name: values for name, values in file_input.identifiers.items()
    }
    write_table({**identifiers, **columns}, path)


def _spread_to_all_rows(assignments: ColumnsByName, is_used: BoolN | None) -> ColumnsByName:
    """Return columns (n,) from those of the used rows (m,): masked where a row is not used, and numbers for all."""
    if is_used is None:
        return assignments
    spread = {name: _spread(values, is_used) for name, values in assignments.items()}
    return {**spread, ROW_NUMBER_NAME: np.arange(1, len(is_used) + 1)}


def _spread(values: AnyArray, is_used: BoolN) -> AnyArray:
    """Return a masked array (n,) with the values (m,) in the used rows."""
    spread = np.zeros(len(is_used), values.dtype)
    spread[is_used] = values
    return np.ma.MaskedArray(spread, mask=~is_used)
