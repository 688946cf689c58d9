"""Model files: safetensors with a schema number; opening one cannot run code.

Schema 1 contains weights, centers, the covariances as factors and precision roots with log determinants, the frame and
the flags of the variance floor. Optional arrays are the weight and the box of the noise, a flag if the user gave its
volume, and the number of fixed parameters. Strings are the schema, the structure, the feature names as JSON and a
checksum of everything else; a further one, the source, may say where the rows came from. Schema 2 contains mixtures of
factor analyzers: loadings, noise variances and the number of factors. Schema 3 adds the linear relations of dependent
columns, the transforms of the columns as JSON, or both, to either kind of mixture.

Files of every released schema stay readable: a new schema gets a new reader. A model is written in the oldest schema
that can represent it.
"""

import json
from os import PathLike
from typing import Any, TypeVar

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.covariance import FactorStructure, Structure, parse_structure
from gaussmix.errors import ArchiveError, DamagedModelError
from gaussmix.model.archive import (
    DAMAGE_ERRORS,
    ArchiveContent,
    read_archive,
    read_strings,
    verify_checksum,
    write_archive,
)
from gaussmix.model.covariance_serialization import pack_covariance, require_shape, unpack_covariance
from gaussmix.model.dependence_serialization import RELATION_TENSORS, pack_dependence, unpack_dependence
from gaussmix.model.mixture_parameters import MixtureParameters
from gaussmix.model.noise import Box, Noise, append_noise_weight
from gaussmix.model.validation import require_weights_sum_to_one
from gaussmix.transforms import ColumnTransforms
from gaussmix.types import AnyArray

M = TypeVar("M", bound=MixtureParameters)

FORMAT = "gaussmix"
SCHEMA_VERSION = 1
FACTOR_SCHEMA_VERSION = 2
COLUMN_SCHEMA_VERSION = 3  # relations or transforms of columns
_SOURCE = "source"


def save_parameters(mixture: MixtureParameters, path: str | PathLike[str], source: str | None = None) -> None:
    """Write a mixture to a file, and a text about its rows. The file is complete or absent, also after a failure.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    metadata, tensors = pack_parameters(mixture)
    write_archive(path, metadata if source is None else {**metadata, _SOURCE: source}, tensors)


def pack_parameters(mixture: MixtureParameters) -> ArchiveContent:
    """Return the strings and arrays that represent a mixture, by name."""
    tensors = {
        "weights": mixture.weights,
        "centers": mixture.centers,
        "floored": mixture.covariance.is_floored.astype(np.int64),
        "frame.shrink": mixture.frame.shrink_exponent,
        "frame.center": mixture.frame.center,
        "frame.exponent": mixture.frame.scale_exponent,
        **pack_covariance(mixture.covariance),
        **_pack_noise_and_n_fixed_parameters(mixture),
        **({} if mixture.dependence is None else pack_dependence(mixture.dependence)),
    }
    names = mixture.feature_names
    metadata = {
        "format": FORMAT,
        "schema": str(SCHEMA_VERSION),
        "structure": str(mixture.structure),
        "feature_names": json.dumps(None if names is None else list(names)),
    }
    if isinstance(mixture.structure, FactorStructure):
        metadata |= {"schema": str(FACTOR_SCHEMA_VERSION), "n_factors": str(mixture.structure.n_factors)}
    if mixture.dependence is not None or mixture.transforms is not None:
        metadata |= {"schema": str(COLUMN_SCHEMA_VERSION)}
    if mixture.transforms is not None:
        metadata |= {"transforms": mixture.transforms.to_json()}
    return ArchiveContent(metadata, tensors)


def load_parameters(path: str | PathLike[str], mixture_class: type[M]) -> M:
    """Read a mixture of a given class from a file, and validate every shape and number.

    Raises
    ------
    FileError
        If there is no such file.
    ArchiveError
        If the file is not a gaussmix model, is damaged or has a newer schema.
    """
    content = read_archive(path, FORMAT, list(_READERS))
    try:
        return unpack_parameters(verify_checksum(content), mixture_class)
    except DAMAGE_ERRORS as error:
        raise ArchiveError.invalid_content(path, error) from error


def unpack_parameters(content: ArchiveContent, mixture_class: type[M]) -> M:
    """Return the mixture of a given class that `pack_parameters` packed, after a check of every shape and number."""
    metadata, tensors = content
    structure = _READERS[metadata["schema"]](metadata, tensors)
    return mixture_class(*_read_constructor_arguments(metadata, tensors, structure))


def read_schema_version(path: str | PathLike[str]) -> int:
    """Read the schema number of a model file."""
    return int(read_strings(path)["schema"])


def read_source(path: str | PathLike[str]) -> str | None:
    """Read the text about the rows of a model that `save_parameters` wrote; None if there is none."""
    return read_strings(path).get(_SOURCE)


def _read_structure_of_schema_1(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Structure:
    """Return the structure of a file of schema 1."""
    return Structure.from_name(metadata["structure"])


def _read_structure_of_schema_2(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Structure:
    """Return the structure of a file of schema 2; raise DamagedModelError if it has no factors."""
    structure = parse_structure(metadata["structure"], int(metadata["n_factors"]))
    if not isinstance(structure, FactorStructure):
        raise DamagedModelError.no_factors(str(structure))
    structure.check_n_features(tensors["centers"].shape[1])
    return structure


def _read_structure_of_schema_3(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Structure:
    """Return the structure of a file of schema 3; raise DamagedModelError without relations and transforms."""
    if RELATION_TENSORS[0] not in tensors and "transforms" not in metadata:
        raise DamagedModelError.no_relations_or_transforms()
    return (_read_structure_of_schema_2 if "n_factors" in metadata else _read_structure_of_schema_1)(metadata, tensors)


def _read_constructor_arguments(
    metadata: dict[str, str], tensors: dict[str, AnyArray], structure: Structure
) -> tuple[Any, ...]:
    """Return the validated fields of `MixtureParameters`, in their order; raise DamagedModelError if one is invalid."""
    for name, tensor in tensors.items():
        if tensor.dtype != (np.int64 if name in _INTEGER_TENSORS else np.float64) or not np.isfinite(tensor).all():
            raise DamagedModelError.invalid_tensor(name, tensor.dtype)
    weights, centers = tensors["weights"], tensors["centers"]
    n_components, n_features = centers.shape
    covariance = unpack_covariance(structure, tensors, n_components, n_features)
    names = json.loads(metadata["feature_names"])
    frame = _make_checked_frame(
        *(require_shape(tensors["frame." + part], (n_features,)) for part in ("shrink", "center", "exponent"))
    )
    require_shape(weights, (n_components,))
    noise, n_fixed_parameters = _unpack_noise_and_n_fixed_parameters(tensors, n_features)
    require_weights_sum_to_one(weights, append_noise_weight(weights, noise))
    dependence = unpack_dependence(tensors, n_features) if RELATION_TENSORS[0] in tensors else None
    n_names = n_features if dependence is None else dependence.n_features
    if names is not None and not (isinstance(names, list) and [type(name) for name in names] == [str] * n_names):
        raise DamagedModelError.invalid_feature_names()
    has_transforms = metadata["schema"] == str(COLUMN_SCHEMA_VERSION) and "transforms" in metadata
    transforms = ColumnTransforms.from_json(metadata["transforms"], n_names) if has_transforms else None
    names = names and tuple(names)
    return weights, centers, covariance, frame, names, noise, n_fixed_parameters, dependence, transforms


def _pack_noise_and_n_fixed_parameters(mixture: MixtureParameters) -> dict[str, AnyArray]:
    """Return tensors, by name, for the noise and the number of fixed parameters, as far as there are any."""
    tensors: dict[str, AnyArray] = {}
    if mixture.noise is not None:
        box = mixture.noise.box
        tensors = {"noise.weight": np.array([mixture.noise.weight]), "noise.box": np.array([box.minimum, box.maximum])}
        if box.has_given_volume:
            tensors["noise.has_given_volume"] = np.ones(1, dtype=np.int64)
    if mixture.n_fixed_parameters:
        tensors["n_held"] = np.array([mixture.n_fixed_parameters])
    return tensors


def _unpack_noise_and_n_fixed_parameters(tensors: dict[str, AnyArray], n_features: int) -> tuple[Noise | None, int]:
    """Return the noise, None if there is none, and the number of fixed parameters."""
    n_fixed_parameters = int(require_shape(tensors.get("n_held", np.zeros(1, dtype=np.int64)), (1,))[0])
    if n_fixed_parameters < 0:
        raise DamagedModelError.negative_n_fixed_parameters()
    if "noise.weight" not in tensors:
        return None, n_fixed_parameters
    weight, box = require_shape(tensors["noise.weight"], (1,)), require_shape(tensors["noise.box"], (2, n_features))
    if not weight[0] >= 0 or not (box[0] < box[1]).all():
        raise DamagedModelError.invalid_noise()
    return Noise(float(weight[0]), Box(box[0], box[1], "noise.has_given_volume" in tensors)), n_fixed_parameters


_READERS = {"1": _read_structure_of_schema_1, "2": _read_structure_of_schema_2, "3": _read_structure_of_schema_3}
_INTEGER_TENSORS = {
    "floored",
    "n_held",
    "noise.has_given_volume",
    "frame.shrink",
    "frame.exponent",
    RELATION_TENSORS[0],
}
_MAX_EXPONENT = 1023


def _make_checked_frame(shrink_exponent: AnyArray, center: AnyArray, scale_exponent: AnyArray) -> Frame:
    """Return a frame; raise DamagedModelError if an exponent is none of a double."""
    for powers in (shrink_exponent, scale_exponent):
        if powers.min() < -_MAX_EXPONENT or powers.max() > _MAX_EXPONENT:
            raise DamagedModelError.exponent_out_of_range()
    return Frame(shrink_exponent, center, scale_exponent)
