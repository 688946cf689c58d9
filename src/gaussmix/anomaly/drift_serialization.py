"""The state of a drift monitor as texts and arrays, for a file, and back."""

import json
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.drift_ranks import RankBins
from gaussmix.anomaly.drift_report import DriftingColumn
from gaussmix.anomaly.drift_state import DriftColumns, DriftSetup, DriftState, SetupAndState
from gaussmix.errors import DriftError
from gaussmix.types import AnyArray


class PackedState(NamedTuple):
    """Texts and arrays by name."""

    strings: dict[str, str]
    arrays: dict[str, AnyArray]


def pack_state(setup: DriftSetup, state: DriftState) -> PackedState:
    """Return setup and state as texts and arrays; numbers keep all their digits."""
    alarm_columns = [[column.name, column.share, column.direction] for column in state.alarm_columns]
    strings = {
        "n_features": str(setup.columns.n_features),
        "feature_names": json.dumps(setup.columns.feature_names),
        "has_score": json.dumps(setup.columns.has_score),
        "combination": setup.combination,
        "false_alarm_rate": repr(setup.false_alarm_rate),
        "seed": str(setup.bins.seed),
        "n_rows": str(state.n_rows),
        "max_martingale": repr(state.max_martingale),
        "alarm_row": json.dumps(state.alarm_row),
        "alarm_columns": json.dumps(alarm_columns),
    }
    arrays = {
        "edges": setup.bins.edges,
        "keys": setup.bins.keys,
        "n_edges": setup.bins.n_edges,
        "constant_values": setup.constant_values,
        "counts": state.counts,
        "wealth": state.wealth,
    }
    return PackedState(strings, {name: array.copy() for name, array in arrays.items()})


def unpack_state(strings: dict[str, str], arrays: dict[str, AnyArray]) -> SetupAndState:
    """Return setup and state from what `pack_state` returned; raise DriftError if an entry is missing or unreadable."""
    try:
        bins = RankBins(
            np.array(arrays["edges"], dtype=np.float64),
            np.array(arrays["keys"], dtype=np.float64),
            np.array(arrays["n_edges"], dtype=np.int64),
            int(strings["seed"]),
        )
        setup = DriftSetup(
            bins,
            np.array(arrays["constant_values"], dtype=np.float64),
            _unpack_columns(strings),
            strings["combination"],
            float(strings["false_alarm_rate"]),
        )
        return SetupAndState(setup, _unpack_stream(strings, arrays))
    except (KeyError, ValueError, TypeError) as error:
        raise DriftError.damaged_state(error) from error


def _unpack_columns(strings: dict[str, str]) -> DriftColumns:
    """Return the columns of the rows."""
    names = json.loads(strings["feature_names"])
    return DriftColumns(
        int(strings["n_features"]), None if names is None else tuple(names), bool(json.loads(strings["has_score"]))
    )


def _unpack_stream(strings: dict[str, str], arrays: dict[str, AnyArray]) -> DriftState:
    """Return what changes during a stream."""
    return DriftState(
        counts=np.array(arrays["counts"], dtype=np.int64),
        wealth=np.array(arrays["wealth"], dtype=np.float64),
        n_rows=int(strings["n_rows"]),
        max_martingale=float(strings["max_martingale"]),
        alarm_row=json.loads(strings["alarm_row"]),
        alarm_columns=tuple(DriftingColumn(*column) for column in json.loads(strings["alarm_columns"])),
    )
