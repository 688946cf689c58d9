"""Files of drift monitors: the reference as rank bins, the martingales, a score, and the first alarm, without rows."""

import json
from dataclasses import asdict, astuple
from os import PathLike
from typing import NamedTuple

from gaussmix.anomaly.drift_ranks import RankBins
from gaussmix.anomaly.drift_report import DriftingColumn
from gaussmix.anomaly.drift_state import DriftColumns, DriftSetup, DriftState
from gaussmix.anomaly.joint_score import JointScore
from gaussmix.errors import ArchiveError
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive

_SCORE_PREFIX = "score."
FORMAT, SCHEMA = "gaussmix drift monitor", "1"


class StoredMonitor(NamedTuple):
    """Setup, state, and the score that the monitor fitted by itself, if any."""

    setup: DriftSetup
    state: DriftState
    joint_score: JointScore | None


def save_monitor(path: str | PathLike[str], stored: StoredMonitor) -> None:
    """Write a monitor to a file, with all digits; raise FileError if that fails."""
    setup, state, joint_score = stored
    bins = setup.bins
    alarm_columns = [astuple(column) for column in state.alarm_columns]
    metadata = {
        "format": FORMAT,
        "schema": SCHEMA,
        "columns": json.dumps(asdict(setup.columns)),
        "settings": json.dumps([setup.combination, setup.false_alarm_rate, bins.seed]),
        "stream": json.dumps([state.n_rows, state.n_empty_rows, state.max_martingale, state.alarm_row, alarm_columns]),
    }
    tensors = {
        "edges": bins.edges,
        "keys": bins.keys,
        "n_edges": bins.n_edges,
        "constant_values": setup.constant_values,
        "counts": state.counts,
        "wealth": state.wealth,
        "n_values": state.n_values,
    }
    score = ArchiveContent({}, {}) if joint_score is None else joint_score.pack().with_prefix(_SCORE_PREFIX)
    write_archive(path, metadata | score.metadata, tensors | score.tensors)


def load_monitor(path: str | PathLike[str]) -> StoredMonitor:
    """Read a monitor from a file that `save_monitor` wrote.

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


def _unpack(content: ArchiveContent) -> StoredMonitor:
    """Return the monitor that a file contains."""
    metadata, tensors = content
    columns = json.loads(metadata["columns"])
    names = columns.pop("feature_names")
    combination, false_alarm_rate, seed = json.loads(metadata["settings"])
    n_rows, n_empty_rows, max_martingale, alarm_row, alarm_columns = json.loads(metadata["stream"])
    setup = DriftSetup(
        RankBins(tensors["edges"], tensors["keys"], tensors["n_edges"], seed),
        tensors["constant_values"],
        DriftColumns(feature_names=None if names is None else tuple(names), **columns),
        combination,
        false_alarm_rate,
    )
    drifting = tuple(DriftingColumn(*column) for column in alarm_columns)
    counts = (tensors["counts"], tensors["wealth"], tensors["n_values"])
    score = content.part(_SCORE_PREFIX)
    return StoredMonitor(
        setup,
        DriftState(*counts, n_empty_rows, n_rows, max_martingale, alarm_row, drifting),
        JointScore.unpack(score) if score.tensors else None,
    )
