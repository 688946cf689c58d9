"""Files of drift monitors: the reference as rank bins, the martingales and the first alarm, without rows."""

import json
from dataclasses import asdict, astuple
from os import PathLike

from gaussmix.anomaly.drift_ranks import RankBins
from gaussmix.anomaly.drift_report import DriftingColumn
from gaussmix.anomaly.drift_state import DriftColumns, DriftSetup, DriftState, SetupAndState
from gaussmix.errors import ArchiveError
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive

FORMAT, SCHEMA = "gaussmix drift monitor", "1"


def save_monitor(path: str | PathLike[str], setup: DriftSetup, state: DriftState) -> None:
    """Write setup and state to a file, with all digits; raise FileError if that fails."""
    bins = setup.bins
    alarm_columns = [astuple(column) for column in state.alarm_columns]
    metadata = {
        "format": FORMAT,
        "schema": SCHEMA,
        "columns": json.dumps(asdict(setup.columns)),
        "settings": json.dumps([setup.combination, setup.false_alarm_rate, bins.seed]),
        "stream": json.dumps([state.n_rows, state.max_martingale, state.alarm_row, alarm_columns]),
    }
    tensors = {
        "edges": bins.edges,
        "keys": bins.keys,
        "n_edges": bins.n_edges,
        "constant_values": setup.constant_values,
        "counts": state.counts,
        "wealth": state.wealth,
    }
    write_archive(path, metadata, tensors)


def load_monitor(path: str | PathLike[str]) -> SetupAndState:
    """Read setup and state from a file that `save_monitor` wrote.

    Raises
    ------
    FileError
        If there is no such file.
    ArchiveError
        If it is no drift monitor, is damaged or has a newer schema.
    """
    content = read_archive(path, FORMAT, [SCHEMA])
    try:
        return _unpack(verify_checksum(content))
    except DAMAGE_ERRORS as error:
        raise ArchiveError.invalid_content(path, error) from error


def _unpack(content: ArchiveContent) -> SetupAndState:
    """Return the setup and the state that a file contains."""
    metadata, tensors = content
    columns = json.loads(metadata["columns"])
    names = columns.pop("feature_names")
    combination, false_alarm_rate, seed = json.loads(metadata["settings"])
    n_rows, max_martingale, alarm_row, alarm_columns = json.loads(metadata["stream"])
    setup = DriftSetup(
        RankBins(tensors["edges"], tensors["keys"], tensors["n_edges"], seed),
        tensors["constant_values"],
        DriftColumns(feature_names=None if names is None else tuple(names), **columns),
        combination,
        false_alarm_rate,
    )
    drifting = tuple(DriftingColumn(*column) for column in alarm_columns)
    return SetupAndState(
        setup, DriftState(tensors["counts"], tensors["wealth"], n_rows, max_martingale, alarm_row, drifting)
    )
