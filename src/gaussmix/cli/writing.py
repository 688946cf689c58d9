"""What the commands write: assignments and samples as tables, in CSV or Parquet."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.cli.places import partial, whole
from gaussmix.model import Mixture
from gaussmix.model.noise import named
from gaussmix.model.posterior import uncertainty
from gaussmix.types import ND, AnyArray

ColumnsByName = dict[str, AnyArray]


def assignments(mixture: Mixture, rows: ND) -> ColumnsByName:
    """For each row: its number from 0, most probable component, all probabilities, uncertainty and log density."""
    soft = mixture.responsibilities(rows)
    return {
        "row": np.arange(len(rows)),
        "component": named(soft.argmax(axis=1), mixture.n_components),
        **{f"probability_{k}": soft[:, k] for k in range(mixture.n_components)},
        **({} if mixture.noise is None else {"probability_noise": soft[:, -1]}),
        "uncertainty": uncertainty(soft),
        "log_density": mixture.log_density(rows),
    }


def write(columns: ColumnsByName, path: Path) -> None:
    """Write columns as Parquet or, for any other ending, as CSV; the file appears whole or not at all.

    Raises
    ------
    FileProblem
        If the file cannot be written.
    """
    with whole(path):
        if path.suffix.lower() == ".parquet":
            pq.write_table(_arrow(columns), partial(path))
        else:
            partial(path).write_bytes(csv_bytes(columns))
        partial(path).replace(path)


def csv_bytes(columns: ColumnsByName) -> bytes:
    """Columns as CSV in UTF-8; numbers with every digit they have."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    body = pa.BufferOutputStream()
    pacsv.write_csv(_arrow(columns), body, pacsv.WriteOptions(include_header=False))
    return header.getvalue().encode() + bytes(body.getvalue())


def _arrow(columns: ColumnsByName) -> Any:
    return pa.table({name: pa.array(values) for name, values in columns.items()})
