"""Model files: safetensors with a schema number, nothing that can run when it is opened.

Schema 1 holds six arrays (weights, centers, covariances as factor and root with log-determinants,
and the frame), two more where there is noise (its weight, and the box it fills), one where parameters
were held (how many), and four strings (schema, structure, feature names as JSON, and a checksum of all
the rest). Schema 2 holds mixtures of factor analysers: loadings and noise, and one string more, the
number of factors. Files of every released schema keep loading: a new one gets a new reader beside
the old, and whatever an old one can hold is written in it.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialised

from gaussmix.core.frame import Frame
from gaussmix.covariance import AbstractCovariance, FactorStructure, Structure, parse_structure, representation_class
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SharedCovariance,
    SphericalCovariance,
)
from gaussmix.errors import ArchiveError, FileError, ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Box, Noise, all_weights
from gaussmix.types import AnyArray

SCHEMA_VERSION = 1
FACTOR_SCHEMA_VERSION = 2


def save_mixture(mixture: Mixture, path: str | PathLike[str]) -> None:
    """Write a mixture; the file appears whole or not at all."""
    tensors = {
        "weights": mixture.weights,
        "centers": mixture.centers,
        "floored": mixture.covariance.is_floored.astype(np.int64),
        "frame.shrink": mixture.frame.shrink_exponent,
        "frame.center": mixture.frame.center,
        "frame.exponent": mixture.frame.scale_exponent,
        **_LAYOUTS[type(mixture.covariance)].pack(mixture.covariance),
        **_pack_optional_tensors(mixture),
    }
    names = mixture.feature_names
    arrays = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    metadata = {
        "format": "gaussmix",
        "schema": str(SCHEMA_VERSION),
        "structure": str(mixture.structure),
        "feature_names": json.dumps(None if names is None else list(names)),
    }
    if isinstance(mixture.structure, FactorStructure):
        metadata |= {"schema": str(FACTOR_SCHEMA_VERSION), "n_factors": str(mixture.structure.n_factors)}
    content = serialised(arrays, {**metadata, "sha256": compute_checksum(arrays, metadata)})
    partial = f"{os.fspath(path)}.partial"
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise FileError(f"cannot write {os.fspath(path)}: {error}") from error


def load_mixture(path: str | PathLike[str]) -> Mixture:
    """Read a mixture, checking every shape and number in it.

    Raises
    ------
    FileProblem
        If there is no such file or it cannot be read.
    ArchiveError
        If the file is not a gaussmix model, of a newer schema, or damaged.
    """
    metadata, tensors = _read_file(path)
    if metadata.get("format") != "gaussmix":
        raise ArchiveError.from_reason(path, "it was not written by gaussmix")
    if metadata.get("schema") not in _READERS:
        found, known = metadata.get("schema"), ", ".join(_READERS)
        raise ArchiveError.from_reason(path, f"its schema is {found!r}, known are {known}; update gaussmix")
    try:
        mixture = _READERS[metadata["schema"]](metadata, tensors)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ArchiveError.from_reason(path, f"it is damaged ({type(error).__name__}: {error})") from error
    return mixture


def compute_checksum(tensors: dict[str, AnyArray], metadata: dict[str, str]) -> str:
    """SHA-256 of all strings and arrays with their names and shapes, in the order of their names."""
    told = {key: value for key, value in metadata.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype.str} {tensors[name].shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def read_schema_version(path: str | PathLike[str]) -> int:
    """The schema number of a model file that `load` reads."""
    return int(_read_file(path)[0]["schema"])


def _read_file(path: str | PathLike[str]) -> tuple[dict[str, str], dict[str, AnyArray]]:
    if not os.path.isfile(path):
        raise FileError(f"there is no file {os.fspath(path)}; give the path of a model that gaussmix saved")
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            return file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise ArchiveError.from_reason(path, f"it is not a safetensors file ({error})") from error


def _read_schema_1(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Mixture:
    return _build_mixture(metadata, tensors, Structure.from_name(metadata["structure"]))


def _read_schema_2(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Mixture:
    structure = parse_structure(metadata["structure"], int(metadata["n_factors"]))
    if not isinstance(structure, FactorStructure):
        raise ValueError(f"a file of schema 2 holds factors, and {structure} has none")
    structure.check_n_features(tensors["centers"].shape[1])
    return _build_mixture(metadata, tensors, structure)


def _build_mixture(metadata: dict[str, str], tensors: dict[str, AnyArray], structure: Structure) -> Mixture:
    if metadata["sha256"] != compute_checksum(tensors, metadata):
        raise ValueError("its numbers do not add up to its checksum")
    for name, tensor in tensors.items():
        if tensor.dtype != (np.int64 if name in _INTEGER_TENSORS else np.float64) or not np.isfinite(tensor).all():
            raise ValueError(f"{name} holds {tensor.dtype} or numbers that are not finite")
    weights, centers = tensors["weights"], tensors["centers"]
    n_components, n_features = centers.shape
    covariance = _layout_for(structure).unpack(structure, tensors, n_components, n_features)
    names = json.loads(metadata["feature_names"])
    frame = _make_frame(
        *(_check_shape(tensors["frame." + part], (n_features,)) for part in ("shrink", "center", "exponent"))
    )
    _check_shape(weights, (n_components,))
    noise, n_held = _unpack_optional_tensors(tensors, n_features)
    total = float(all_weights(weights, noise).sum())
    if not (weights >= 0).all() or abs(total - 1.0) > 1e-6:
        raise ParameterError.invalid_value("weights", weights.tolist(), "numbers of at least 0 that add up to 1")
    if names is not None and not (isinstance(names, list) and [type(name) for name in names] == [str] * n_features):
        raise ValueError("the feature names do not fit the columns")
    return Mixture(weights, centers, covariance, frame, None if names is None else tuple(names), noise, n_held)


def _pack_optional_tensors(mixture: Mixture) -> dict[str, AnyArray]:
    """Noise and the number of held parameters, where there are any."""
    found: dict[str, AnyArray] = {}
    if mixture.noise is not None:
        box = mixture.noise.box
        found = {"noise.weight": np.array([mixture.noise.weight]), "noise.box": np.array([box.minimum, box.maximum])}
    return found | ({"n_held": np.array([mixture.n_fixed_parameters])} if mixture.n_fixed_parameters else {})


def _unpack_optional_tensors(tensors: dict[str, AnyArray], n_features: int) -> tuple[Noise | None, int]:
    n_held = int(_check_shape(tensors.get("n_held", np.zeros(1, dtype=np.int64)), (1,))[0])
    if n_held < 0:
        raise ValueError("the number of held parameters is negative")
    if "noise.weight" not in tensors:
        return None, n_held
    weight, box = _check_shape(tensors["noise.weight"], (1,)), _check_shape(tensors["noise.box"], (2, n_features))
    if not weight[0] >= 0 or not (box[0] < box[1]).all():
        raise ValueError("the noise has a negative weight or no volume")
    return Noise(float(weight[0]), Box(*box)), n_held


_READERS = {"1": _read_schema_1, "2": _read_schema_2}
_POSITIVE_TENSORS = {"variances", "noise"}
_INTEGER_TENSORS = {"floored", "n_held", "frame.shrink", "frame.exponent"}
_MAX_EXPONENT = 1023


def _make_frame(shrink: AnyArray, center: AnyArray, exponent: AnyArray) -> Frame:
    for powers in (shrink, exponent):
        if powers.min() < -_MAX_EXPONENT or powers.max() > _MAX_EXPONENT:
            raise ValueError("the frame holds powers of two that no double has")
    return Frame(shrink, center, exponent)


def _check_shape(tensor: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    if tensor.shape != shape:
        raise ValueError(f"an array of shape {tensor.shape} stands where {shape} was expected")
    return tensor


_FIELDS = {
    "root_matrices": "precision_root_matrices",
    "root_matrix": "precision_root_matrix",
    "log_determinants_": "stored_log_determinants",
    "noise": "noise_variance",
}  # tensors whose name in a file is not that of the attribute; names in files never change


def _field(tensor_name: str) -> str:
    """The attribute of a covariance that a tensor holds."""
    return _FIELDS.get(tensor_name, tensor_name)


@dataclass(frozen=True)
class _CovarianceLayout:
    """How one form of covariance is laid out: tensor names with their shapes in K, D and the number of factors Q."""

    covariance_class: type[AbstractCovariance]
    tensor_shapes: dict[str, str]

    def pack(self, covariance: Any) -> dict[str, AnyArray]:
        return {"covariance." + name: np.asarray(getattr(covariance, _field(name))) for name in self.tensor_shapes}

    def unpack(
        self, structure: Structure, tensors: dict[str, AnyArray], n_components: int, n_features: int
    ) -> AbstractCovariance:
        sizes = {
            "K": n_components,
            "D": n_features,
            "Q": structure.n_factors if isinstance(structure, FactorStructure) else 0,
        }
        floored = _check_shape(tensors["floored"], (n_components,)).astype(bool)
        values: dict[str, Any] = {}
        for name, letters in self.tensor_shapes.items():
            tensor = _check_shape(tensors["covariance." + name], tuple(sizes[letter] for letter in letters))
            if name in _POSITIVE_TENSORS and not (tensor > 0).all():
                raise ValueError("a variance is not positive")
            values[_field(name)] = tensor if letters else tensor.item()
        if self.covariance_class is SphericalCovariance:
            values["n_columns"] = n_features
        return self.covariance_class(structure, floored, **values)


_LAYOUTS: dict[type[AbstractCovariance], _CovarianceLayout] = {
    FullCovariance: _CovarianceLayout(
        FullCovariance, {"factors": "KDD", "root_matrices": "KDD", "log_determinants_": "K"}
    ),
    SharedCovariance: _CovarianceLayout(SharedCovariance, {"factor": "DD", "root_matrix": "DD", "log_determinant": ""}),
    DiagonalCovariance: _CovarianceLayout(DiagonalCovariance, {"variances": "KD"}),
    SphericalCovariance: _CovarianceLayout(SphericalCovariance, {"variances": "K"}),
    LowRankCovariance: _CovarianceLayout(LowRankCovariance, {"loadings": "KDQ", "noise": "KD"}),
}


def _layout_for(structure: Structure) -> _CovarianceLayout:
    return _LAYOUTS[representation_class(structure)]
