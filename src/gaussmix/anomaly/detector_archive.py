"""Files of detectors: everything that scores, explains and decides, without training rows."""

import json
from collections.abc import Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from gaussmix.anomaly.anomaly_model import AnomalyModel
from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.code_columns import CodeColumn
from gaussmix.anomaly.ensemble import Ensemble
from gaussmix.anomaly.feedback import Feedback
from gaussmix.anomaly.member import Member
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.anomaly.tail import TailFunction
from gaussmix.anomaly.value_grids import ValueGrids
from gaussmix.errors import ArchiveError
from gaussmix.model import Mixture
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive
from gaussmix.model.dependence_serialization import RELATION_TENSORS, pack_dependence, unpack_dependence
from gaussmix.model.serialization import pack_parameters, unpack_parameters
from gaussmix.types import AnyArray

FORMAT, SCHEMA = "gaussmix anomaly detector", "1"


class StoredDetector(NamedTuple):
    """A model, its offset, the ridge in use and the parameters of the detector, by name."""

    model: AnomalyModel
    offset: float
    ridge: float
    parameters: dict[str, Any]


def save_detector(path: str | PathLike[str], stored: StoredDetector) -> None:
    """Write a detector to a file; raise FileError if that fails."""
    model = stored.model
    strings = {
        "format": FORMAT,
        "schema": SCHEMA,
        "parameters": json.dumps({name: _to_json_value(value) for name, value in stored.parameters.items()}),
        "feature_names": json.dumps(model.feature_names),
        "members": json.dumps(_shape(model.ensemble)),
        "is_clean": json.dumps(model.calibration.is_clean),
        "compares_by_half": json.dumps(model.calibration.compares_by_half),
    }
    tensors: dict[str, AnyArray] = {"decision": np.array([stored.offset, stored.ridge]), **_pack_columns(model.columns)}
    tensors |= model.grids.to_tensors()
    tensors |= _pack_calibration(model.calibration)
    if model.feedback is not None:
        tensors |= {f"feedback.{name}": np.asarray(value) for name, value in vars(model.feedback).items()}
        tensors["feedback.is_anomaly"] = model.feedback.is_anomaly.astype(np.int64)
    content = ArchiveContent(strings, tensors)
    parts = {"groups.": pack_parameters(model.groups)}
    for index, member in enumerate(_iterate_members(model.ensemble)):
        parts[f"member{index}."] = pack_parameters(member.mixture)
        tensors[f"member{index}.scale"] = np.array([member.median, member.spread])
    for prefix, part in parts.items():
        prefixed = part.with_prefix(prefix)
        content = ArchiveContent(content.metadata | prefixed.metadata, content.tensors | prefixed.tensors)
    write_archive(path, *content)


def load_detector(path: str | PathLike[str]) -> StoredDetector:
    """Read a detector from a file that `save_detector` wrote.

    Raises
    ------
    FileError
        If there is no such file.
    ArchiveError
        If it is no detector, is damaged or has a newer schema.
    """
    content = read_archive(path, FORMAT, [SCHEMA])
    try:
        return _unpack(verify_checksum(content))
    except DAMAGE_ERRORS as error:
        raise ArchiveError.invalid_content(path, error) from error


def _unpack(content: ArchiveContent) -> StoredDetector:
    """Return the detector that a file contains."""
    strings, tensors = content
    n_repeats, n_members = json.loads(strings["members"])
    members = [_unpack_member(content, index) for index in range(n_repeats * 2 * n_members)]
    halves = [tuple(members[start : start + n_members]) for start in range(0, len(members), n_members)]
    ensemble = Ensemble(tuple((halves[2 * r], halves[2 * r + 1]) for r in range(n_repeats)))
    names = json.loads(strings["feature_names"])
    is_clean, by_half = json.loads(strings["is_clean"]), json.loads(strings["compares_by_half"])
    columns = _unpack_columns(tensors)
    model = AnomalyModel(
        columns,
        ensemble,
        _unpack_calibration(tensors, is_clean, by_half),
        None,
        None if names is None else tuple(names),
        unpack_parameters(content.part("groups."), Mixture),
        _unpack_feedback(tensors),
        ValueGrids.from_tensors(tensors, columns.n_features),
    )
    parameters = {name: _from_json_value(value) for name, value in json.loads(strings["parameters"]).items()}
    offset, ridge = map(float, tensors["decision"])
    return StoredDetector(model, offset, ridge, parameters)


def _to_json_value(value: object) -> object:
    """Return a parameter as a JSON file can hold it; a random state that is no whole number becomes None."""
    if isinstance(value, tuple | list | range | np.ndarray):
        return [int(number) for number in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float) else None


def _from_json_value(value: object) -> object:
    """Return a parameter from a JSON file, which has lists in place of tuples."""
    return tuple(value) if isinstance(value, list) else value


def _shape(ensemble: Ensemble) -> tuple[int, int]:
    """Return the number of repeats, and of members of a half."""
    return len(ensemble.members), len(ensemble.members[0][0])


def _iterate_members(ensemble: Ensemble) -> list[Member]:
    """Return all members, by repeat, half and number of components."""
    return [member for halves in ensemble.members for half in halves for member in half]


def _unpack_member(content: ArchiveContent, index: int) -> Member:
    """Return one member of the ensemble."""
    part = content.part(f"member{index}.")
    median, spread = part.tensors.pop("scale")
    return Member(unpack_parameters(part, Mixture), float(median), float(spread))


def _pack_columns(columns: ScoredColumns) -> dict[str, AnyArray]:
    """Return the tensors of the scored columns."""
    tensors: dict[str, AnyArray] = {"columns.means": columns.means, "columns.deviations": columns.deviations}
    for code in columns.codes:
        tensors[f"code{code.position}"] = np.stack([code.values, code.below, code.up_to])
    return tensors if columns.dependence is None else tensors | pack_dependence(columns.dependence)


def _unpack_columns(tensors: Mapping[str, AnyArray]) -> ScoredColumns:
    """Return the scored columns of tensors."""
    means = tensors["columns.means"]
    dependence = unpack_dependence(dict(tensors), len(means)) if RELATION_TENSORS[0] in tensors else None
    names = ((f"code{position}", position) for position in range(len(means)))
    codes = tuple(CodeColumn(position, *tensors[name]) for name, position in names if name in tensors)
    return ScoredColumns(means, tensors["columns.deviations"], dependence, codes)


def _pack_calibration(calibration: CalibrationScores) -> dict[str, AnyArray]:
    """Return the tensors of the calibration."""
    tail = calibration.tail
    tensors = {
        "calibration.scores": calibration.scores,
        "calibration.halves": calibration.halves,
        "tail.knots": tail.knots,
        "tail.log_tails": tail.log_tails,
        "tail.excess": np.array([tail.shape, tail.scale]),
    }
    return tensors if calibration.weights is None else tensors | {"calibration.weights": calibration.weights}


def _unpack_calibration(tensors: Mapping[str, AnyArray], is_clean: bool, compares_by_half: bool) -> CalibrationScores:
    """Return the calibration of tensors."""
    shape, scale = tensors["tail.excess"]
    tail = TailFunction(tensors["tail.knots"], tensors["tail.log_tails"], float(shape), float(scale))
    weights = tensors.get("calibration.weights")
    scores, halves = tensors["calibration.scores"], tensors["calibration.halves"]
    return CalibrationScores(scores, weights, halves, is_clean, compares_by_half, tail)


def _unpack_feedback(tensors: Mapping[str, AnyArray]) -> Feedback | None:
    """Return the feedback of tensors; None if there is none."""
    values = {name.removeprefix("feedback."): value for name, value in tensors.items() if name.startswith("feedback.")}
    if not values:
        return None
    values["is_anomaly"] = values["is_anomaly"].astype(bool)
    raise_beyond = float(values.pop("raise_beyond"))
    return Feedback(**values, raise_beyond=raise_beyond)
