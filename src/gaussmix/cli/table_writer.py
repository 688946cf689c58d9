"""Tables of assignments and samples as CSV or Parquet files."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.cli.output_paths import partial_path, remove_partial_on_failure
from gaussmix.model import Mixture
from gaussmix.model.noise import relabel_noise_as_minus_one
from gaussmix.model.prediction import uncertainty
from gaussmix.types import ND, AnyArray

ColumnsByName = dict[str, AnyArray]


def compute_assignments(mixture: Mixture, rows: ND) -> ColumnsByName:
    """Return columns (n,): index of the row, component, K probabilities, uncertainty and log density."""
    if mixture.dependence is not None:
        rows = mixture.dependence.select_independent(rows)
        mixture = mixture.independent_part
    probabilities = mixture.predict_proba(rows)
    return {
        "row": np.arange(len(rows)),
        "component": relabel_noise_as_minus_one(probabilities.argmax(axis=1), mixture.n_components),
        **{f"probability_{k}": probabilities[:, k] for k in range(mixture.n_components)},
        **({} if mixture.noise is None else {"probability_noise": probabilities[:, -1]}),
        "uncertainty": uncertainty(probabilities),
        "log_density": mixture.logpdf(rows),
    }


def write_table(columns: ColumnsByName, path: Path) -> None:
    """Write columns as Parquet or, for any other suffix, as CSV; a failed write leaves no file.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    with remove_partial_on_failure(path):
        if path.suffix.lower() == ".parquet":
            pq.write_table(_to_arrow_table(columns), partial_path(path))
        else:
            partial_path(path).write_bytes(encode_csv(columns))
        partial_path(path).replace(path)


def encode_csv(columns: ColumnsByName) -> bytes:
    """Return columns as the UTF-8 bytes of a CSV with a header line and all digits of numbers."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    body = pa.BufferOutputStream()
    pacsv.write_csv(_to_arrow_table(columns), body, pacsv.WriteOptions(include_header=False))
    return header.getvalue().encode() + bytes(body.getvalue())


def _to_arrow_table(columns: ColumnsByName) -> pa.Table:
    """Return an Arrow table with these columns in their order."""
    return pa.table({name: pa.array(values) for name, values in columns.items()})
