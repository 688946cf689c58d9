"""What the commands write: assignments and samples as tables, in CSV or Parquet."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.errors import FileProblem
from gaussmix.model import Mixture
from gaussmix.model.posterior import uncertainty
from gaussmix.types import ND, AnyArray

ColumnsByName = dict[str, AnyArray]


def assignments(mixture: Mixture, rows: ND) -> ColumnsByName:
    """For each row: its number from 0, most probable component, all probabilities, uncertainty and log density."""
    soft = mixture.responsibilities(rows)
    return {
        "row": np.arange(len(rows)),
        "component": soft.argmax(axis=1),
        **{f"probability_{k}": soft[:, k] for k in range(mixture.n_components)},
        "uncertainty": uncertainty(soft),
        "log_density": mixture.log_density(rows),
    }


def write(columns: ColumnsByName, path: Path) -> None:
    """Write columns as Parquet or, for any other ending, as CSV.

    Raises
    ------
    FileProblem
        If the file cannot be written.
    """
    try:
        if path.suffix.lower() == ".parquet":
            pq.write_table(_arrow(columns), path)
        else:
            path.write_bytes(csv_bytes(columns))
    except OSError as error:
        raise FileProblem.unwritable(path, error.strerror or error) from error


def csv_bytes(columns: ColumnsByName) -> bytes:
    """Columns as CSV in UTF-8; numbers with every digit they have."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    body = pa.BufferOutputStream()
    pacsv.write_csv(_arrow(columns), body, pacsv.WriteOptions(include_header=False))
    return header.getvalue().encode() + bytes(body.getvalue())


def _arrow(columns: ColumnsByName) -> Any:
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def require_parent(path: Path) -> None:
    """Check, before any work is done, that there is a folder to put a file in."""
    if not path.parent.is_dir():
        raise FileProblem.unwritable(path, f"there is no folder {path.parent}")


def require_place(folder: Path) -> None:
    """Check, before any work is done, that a folder can be written to or made."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise FileProblem.unwritable(folder, f"{existing} is a file, not a folder")
    if not os.access(existing, os.W_OK):
        raise FileProblem.unwritable(folder, f"there is no right to write in {existing}")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem.unwritable(folder, error.strerror or error) from error
