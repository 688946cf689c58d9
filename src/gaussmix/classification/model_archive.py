"""Strings and arrays that represent a `ClassModel` in a file: schema, columns, mixtures and calibration."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gaussmix.classification.calibration import (
    AbstractCalibration,
    IsotonicCalibration,
    SoftmaxCalibration,
    TailCalibration,
)
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.families.members import Members
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.table import TableSchema
from gaussmix.errors import DamagedModelError
from gaussmix.model.archive import ArchiveContent
from gaussmix.types import AnyArray

_SOFTMAX_CLASSES: dict[str, tuple[type[SoftmaxCalibration | TailCalibration], tuple[str, ...]]] = {
    "softmax": (SoftmaxCalibration, ("intercepts", "floors")),
    "tails": (TailCalibration, ("intercepts", "scales", "floors")),
}
_ARRAYS = ("log_weights", "class_log_probabilities", "means", "variances", "covariances")


def pack_class_model(model: ClassModel) -> ArchiveContent:
    """Return the strings and arrays of a model."""
    members, layout, calibration = pack_members(model.members), model.layout, pack_calibration(model.calibration)
    strings = {
        "table_schema": model.schema.to_json(),
        "layout": json.dumps([layout.n_numeric, list(layout.block), list(layout.n_levels)]),
    }
    tensors: dict[str, AnyArray] = {"categories": model.categories, "unused_numbers": model.unused_numbers}
    return ArchiveContent(
        strings | members.metadata | calibration.metadata, tensors | members.tensors | calibration.tensors
    )


def unpack_class_model(content: ArchiveContent) -> ClassModel:
    """Return the model of strings and arrays; raise one of ``DAMAGE_ERRORS`` if they contradict each other."""
    schema = TableSchema.from_json(content.metadata["table_schema"])
    n_numeric, block, n_levels = json.loads(content.metadata["layout"])
    layout = FeatureLayout(int(n_numeric), tuple(map(int, block)), tuple(map(int, n_levels)))
    categories = content.tensors["categories"].astype(np.int64)
    used_levels = tuple(schema.n_levels[c] for c in categories.tolist())
    if layout.n_numeric != len(schema.numeric) or layout.n_levels != used_levels:
        raise DamagedModelError.wrong_columns()
    unused_numbers = content.tensors["unused_numbers"].astype(np.int64)
    if not np.isin(unused_numbers, np.arange(layout.n_numeric)).all():
        raise DamagedModelError.wrong_columns()
    members = unpack_members(content, layout)
    calibration = unpack_calibration(content, members[0].n_classes)
    return ClassModel(schema, categories, layout, members, calibration, unused_numbers)


def pack_members(members: Members) -> ArchiveContent:
    """Return the strings and arrays of mixtures."""
    tensors: dict[str, AnyArray] = {}
    for index, member in enumerate(members):
        prefix = f"member{index}."
        tensors |= {prefix + name: getattr(member, name) for name in _ARRAYS}
        tensors |= {f"{prefix}table{c}": table for c, table in enumerate(member.tables)}
    return ArchiveContent({"n_members": str(len(members))}, tensors)


def unpack_members(content: ArchiveContent, layout: FeatureLayout) -> Members:
    """Return the mixtures of strings and arrays."""
    parts = [content.part(f"member{index}.").tensors for index in range(int(content.metadata["n_members"]))]
    members = tuple(
        MixedMixture(
            layout,
            **{name: part[name] for name in _ARRAYS},
            tables=tuple(part[f"table{c}"] for c in range(len(layout.n_levels))),
        )
        for part in parts
    )
    if not members or len({member.n_classes for member in members}) > 1:
        raise DamagedModelError.wrong_columns()
    for member in members:
        _require_valid(member)
    return members


def _require_valid(mixture: MixedMixture) -> None:
    """Raise DamagedModelError if the arrays of a mixture have other shapes than its layout, or invalid numbers."""
    layout, n_components, n_block = mixture.layout, mixture.n_components, len(mixture.layout.block)
    shapes = [
        (mixture.class_log_probabilities, (n_components, mixture.n_classes)),
        (mixture.means, (n_components, layout.n_numeric)),
        (mixture.variances, (n_components, layout.n_numeric - n_block)),
        (mixture.covariances, (n_components, n_block, n_block)),
        *((table, (n_components, n)) for table, n in zip(mixture.tables, layout.n_levels, strict=True)),
    ]
    for array, shape in shapes:
        if array.shape != shape:
            raise DamagedModelError.wrong_shape(array.shape, shape)
    for array in (mixture.log_weights, mixture.means, mixture.variances, mixture.covariances):
        if not np.isfinite(array).all():
            raise DamagedModelError.invalid_tensor("a mixture", array.dtype)
    if not (mixture.variances > 0).all():
        raise DamagedModelError.variance_not_positive()


def pack_calibration(calibration: AbstractCalibration | None) -> ArchiveContent:
    """Return the strings and arrays of a calibration."""
    for kind, (cls, names) in _SOFTMAX_CLASSES.items():
        if isinstance(calibration, cls):
            tensors: dict[str, AnyArray] = {"calibration.slope": np.array([calibration.slope])}
            tensors |= {f"calibration.{name}": getattr(calibration, name) for name in names}
            return ArchiveContent({"calibration": kind}, tensors)
    if isinstance(calibration, IsotonicCalibration):
        pairs = zip(calibration.thresholds, calibration.values, strict=True)
        steps = {f"calibration.steps{label}": np.stack(pair) for label, pair in enumerate(pairs)}
        return ArchiveContent({"calibration": "isotonic"}, steps)
    return ArchiveContent({"calibration": "none"}, {})


def unpack_calibration(content: ArchiveContent, n_classes: int) -> AbstractCalibration | None:
    """Return the calibration of strings and arrays; raise KeyError if its kind is unknown."""
    return _UNPACK_CALIBRATION[content.metadata["calibration"]](content.part("calibration.").tensors, n_classes)


def _unpack_softmax(kind: str, tensors: dict[str, AnyArray], n_classes: int) -> AbstractCalibration:
    """Return slope, intercepts, scales and floors."""
    cls, names = _SOFTMAX_CLASSES[kind]
    for name in names:
        if tensors[name].shape != (n_classes,):
            raise DamagedModelError.wrong_shape(tensors[name].shape, (n_classes,))
    (slope,) = tensors["slope"].tolist()
    return cls(slope, **{name: tensors[name] for name in names})


def _unpack_isotonic(tensors: dict[str, AnyArray], n_classes: int) -> AbstractCalibration:
    """Return a step function for each class."""
    steps = [tensors[f"steps{label}"] for label in range(n_classes)]
    return IsotonicCalibration(tuple(step[0] for step in steps), tuple(step[1] for step in steps))


_UNPACK_CALIBRATION: dict[str, Callable[[dict[str, AnyArray], int], AbstractCalibration | None]] = {
    "softmax": partial(_unpack_softmax, "softmax"),
    "tails": partial(_unpack_softmax, "tails"),
    "isotonic": _unpack_isotonic,
    "none": lambda tensors, n_classes: None,
}


def to_json_value(value: Any) -> Any:
    """Return a parameter as JSON can hold it; what it cannot hold, such as a generator, becomes None."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {"mapping": [[to_json_value(key), to_json_value(item)] for key, item in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json_value(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else None


def from_json_value(value: Any) -> Any:
    """Return a parameter from what `to_json_value` returned; sequences are lists."""
    if isinstance(value, dict):
        return {from_json_value(key): from_json_value(item) for key, item in value["mapping"]}
    return [from_json_value(item) for item in value] if isinstance(value, list) else value
