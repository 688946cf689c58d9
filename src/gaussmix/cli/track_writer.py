"""``TrackWriter``: write tracks while they arise, so that those already written stay if the program stops."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gaussmix.cli.output_paths import partial_path, remove_partial_on_failure
from gaussmix.errors import FileError
from gaussmix.tracking.estimates import Estimates
from gaussmix.types import IntN

_N_DIGITS = 12


class TrackWriter:
    """Write one line per object and scan: time, track, position, velocity, deviations, existence and row of the file.

    Use it in a ``with`` statement.

    Parameters
    ----------
    path : Path
        File to write; an existing one is replaced.
    time_name : str
        Header of the times.
    names : sequence of str
        Names of the coordinates.
    has_velocities : bool
        Whether states have velocities.

    Raises
    ------
    FileError
        If the file cannot be written.
    """

    def __init__(self, path: Path, time_name: str, names: Sequence[str], has_velocities: bool = True) -> None:
        self.path = path
        velocities = [f"{name}_velocity" for name in names] if has_velocities else []
        deviations = [f"{name}_std" for name in names]
        header = [time_name, "track", *names, *velocities, *deviations, "existence", "data_row"]
        try:
            self._stream = path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise FileError.unwritable(path, error.strerror or error) from error
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._write_lines([header])

    def write(self, time: object, estimates: Estimates, rows: IntN) -> None:
        """Append the objects of a scan.

        Parameters
        ----------
        time : number or datetime64
        estimates : Estimates
        rows : int array of shape (n,)
            Rows of the file, from 0, of the detections of the scan; they are written from 1.
        """
        layout = estimates.layout
        variances = np.diagonal(estimates.covariances, axis1=1, axis2=2)
        numbers = np.column_stack(
            [
                estimates.positions,
                estimates.states[:, layout.velocities],
                np.sqrt(np.maximum(variances[:, layout.positions], 0.0)),
                estimates.existence,
            ]
        )
        detections = ["" if j < 0 else int(rows[j]) + 1 for j in estimates.detections.tolist()]
        text = _format_time(time)
        self._write_lines(
            [
                [text, label, *(f"{value:.{_N_DIGITS}g}" for value in line), row]
                for label, line, row in zip(estimates.labels.tolist(), numbers.tolist(), detections, strict=True)
            ]
        )

    def _write_lines(self, lines: Sequence[Sequence[Any]]) -> None:
        """Write lines, and hand them over to the operating system."""
        try:
            self._writer.writerows(lines)
            self._stream.flush()
        except OSError as error:
            raise FileError.unwritable(self.path, error.strerror or error) from error

    def __enter__(self) -> "TrackWriter":
        """Return the writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the file, also after an error."""
        self._stream.close()


def _format_time(time: object) -> str:
    """Return a time as text: whole numbers and dates without superfluous digits."""
    if isinstance(time, np.datetime64):
        return str(time).replace("T", " ").removesuffix(".000000")
    return repr(time.item()) if isinstance(time, np.generic) else str(time)


def copy_csv_to_parquet(source: Path, target: Path) -> None:
    """Write the table in a CSV file as Parquet."""
    table = pacsv.read_csv(source, read_options=pacsv.ReadOptions(use_threads=False))
    with remove_partial_on_failure(target):
        pq.write_table(table, partial_path(target))
        partial_path(target).replace(target)
