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
from gaussmix.covariance import AbstractCovariance, FactorStructure, Structure, structure_of
from gaussmix.covariance.forms import (
    DiagonalCovariance,
    FullCovariance,
    SharedCovariance,
    SphericalCovariance,
)
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.errors import ArchiveError, FileProblem, ParameterError
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Box, Noise, shares
from gaussmix.types import AnyArray

SCHEMA = 1
SCHEMA_OF_FACTORS = 2


def save(mixture: Mixture, path: str | PathLike[str]) -> None:
    """Write a mixture; the file appears whole or not at all."""
    tensors = {
        "weights": mixture.weights,
        "centers": mixture.centers,
        "floored": mixture.covariance.floored.astype(np.int64),
        "frame.shrink": mixture.frame.shrink,
        "frame.center": mixture.frame.center,
        "frame.exponent": mixture.frame.exponent,
        **_FORMS[type(mixture.covariance)].pack(mixture.covariance),
        **_pack_optional(mixture),
    }
    names = mixture.feature_names
    arrays = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    metadata = {
        "format": "gaussmix",
        "schema": str(SCHEMA),
        "structure": str(mixture.structure),
        "feature_names": json.dumps(None if names is None else list(names)),
    }
    if isinstance(mixture.structure, FactorStructure):
        metadata |= {"schema": str(SCHEMA_OF_FACTORS), "n_factors": str(mixture.structure.n_factors)}
    content = serialised(arrays, {**metadata, "sha256": checksum(arrays, metadata)})
    partial = f"{os.fspath(path)}.partial"
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise FileProblem(f"cannot write {os.fspath(path)}: {error}") from error


def load(path: str | PathLike[str]) -> Mixture:
    """Read a mixture, checking every shape and number in it.

    Raises
    ------
    FileProblem
        If there is no such file or it cannot be read.
    ArchiveError
        If the file is not a gaussmix model, of a newer schema, or damaged.
    """
    metadata, tensors = _contents(path)
    if metadata.get("format") != "gaussmix":
        raise ArchiveError.because(path, "it was not written by gaussmix")
    if metadata.get("schema") not in _READERS:
        found, known = metadata.get("schema"), ", ".join(_READERS)
        raise ArchiveError.because(path, f"its schema is {found!r}, known are {known}; update gaussmix")
    try:
        mixture = _READERS[metadata["schema"]](metadata, tensors)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ArchiveError.because(path, f"it is damaged ({type(error).__name__}: {error})") from error
    return mixture


def checksum(tensors: dict[str, AnyArray], metadata: dict[str, str]) -> str:
    """SHA-256 of all strings and arrays with their names and shapes, in the order of their names."""
    told = {key: value for key, value in metadata.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype.str} {tensors[name].shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def schema(path: str | PathLike[str]) -> int:
    """The schema number of a model file that `load` reads."""
    return int(_contents(path)[0]["schema"])


def _contents(path: str | PathLike[str]) -> tuple[dict[str, str], dict[str, AnyArray]]:
    if not os.path.isfile(path):
        raise FileProblem(f"there is no file {os.fspath(path)}; give the path of a model that gaussmix saved")
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            return file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise ArchiveError.because(path, f"it is not a safetensors file ({error})") from error


def _read_1(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Mixture:
    return _read(metadata, tensors, Structure.parse(metadata["structure"]))


def _read_2(metadata: dict[str, str], tensors: dict[str, AnyArray]) -> Mixture:
    structure = structure_of(metadata["structure"], int(metadata["n_factors"]))
    if not isinstance(structure, FactorStructure):
        raise ValueError(f"a file of schema 2 holds factors, and {structure} has none")
    structure.require_columns(tensors["centers"].shape[1])
    return _read(metadata, tensors, structure)


def _read(metadata: dict[str, str], tensors: dict[str, AnyArray], structure: Structure) -> Mixture:
    if metadata["sha256"] != checksum(tensors, metadata):
        raise ValueError("its numbers do not add up to its checksum")
    for name, tensor in tensors.items():
        if tensor.dtype != (np.int64 if name in _INTEGERS else np.float64) or not np.isfinite(tensor).all():
            raise ValueError(f"{name} holds {tensor.dtype} or numbers that are not finite")
    weights, centers = tensors["weights"], tensors["centers"]
    n_components, n_features = centers.shape
    covariance = _form_of(structure).unpack(structure, tensors, n_components, n_features)
    names = json.loads(metadata["feature_names"])
    frame = _frame(*(_shaped(tensors["frame." + part], (n_features,)) for part in ("shrink", "center", "exponent")))
    _shaped(weights, (n_components,))
    noise, n_held = _unpack_optional(tensors, n_features)
    total = float(shares(weights, noise).sum())
    if not (weights >= 0).all() or abs(total - 1.0) > 1e-6:
        raise ParameterError.value("weights", weights.tolist(), "numbers of at least 0 that add up to 1")
    if names is not None and not (isinstance(names, list) and [type(name) for name in names] == [str] * n_features):
        raise ValueError("the feature names do not fit the columns")
    return Mixture(weights, centers, covariance, frame, None if names is None else tuple(names), noise, n_held)


def _pack_optional(mixture: Mixture) -> dict[str, AnyArray]:
    """Noise and the number of held parameters, where there are any."""
    found: dict[str, AnyArray] = {}
    if mixture.noise is not None:
        box = mixture.noise.box
        found = {"noise.weight": np.array([mixture.noise.weight]), "noise.box": np.array([box.low, box.high])}
    return found | ({"n_held": np.array([mixture.n_held])} if mixture.n_held else {})


def _unpack_optional(tensors: dict[str, AnyArray], n_features: int) -> tuple[Noise | None, int]:
    n_held = int(_shaped(tensors.get("n_held", np.zeros(1, dtype=np.int64)), (1,))[0])
    if n_held < 0:
        raise ValueError("the number of held parameters is negative")
    if "noise.weight" not in tensors:
        return None, n_held
    weight, box = _shaped(tensors["noise.weight"], (1,)), _shaped(tensors["noise.box"], (2, n_features))
    if not weight[0] >= 0 or not (box[0] < box[1]).all():
        raise ValueError("the noise has a negative weight or no volume")
    return Noise(float(weight[0]), Box(*box)), n_held


_READERS = {"1": _read_1, "2": _read_2}
_POSITIVE = {"variances", "noise"}
_INTEGERS = {"floored", "n_held", "frame.shrink", "frame.exponent"}
_LARGEST_POWER = 1023


def _frame(shrink: AnyArray, center: AnyArray, exponent: AnyArray) -> Frame:
    for powers in (shrink, exponent):
        if powers.min() < -_LARGEST_POWER or powers.max() > _LARGEST_POWER:
            raise ValueError("the frame holds powers of two that no double has")
    return Frame(shrink, center, exponent)


def _shaped(tensor: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    if tensor.shape != shape:
        raise ValueError(f"an array of shape {tensor.shape} stands where {shape} was expected")
    return tensor


@dataclass(frozen=True)
class _Form:
    """How one form of covariance is laid out: field names with their shapes in K, D and the number of factors Q."""

    kind: type[AbstractCovariance]
    fields: dict[str, str]

    def pack(self, covariance: Any) -> dict[str, AnyArray]:
        return {"covariance." + name: np.asarray(getattr(covariance, name)) for name in self.fields}

    def unpack(self, structure: Structure, tensors: dict[str, AnyArray], K: int, D: int) -> AbstractCovariance:
        sizes = {"K": K, "D": D, "Q": structure.n_factors if isinstance(structure, FactorStructure) else 0}
        floored = _shaped(tensors["floored"], (K,)).astype(bool)
        values: dict[str, Any] = {}
        for name, letters in self.fields.items():
            tensor = _shaped(tensors["covariance." + name], tuple(sizes[letter] for letter in letters))
            if name in _POSITIVE and not (tensor > 0).all():
                raise ValueError("a variance is not positive")
            values[name] = tensor if letters else tensor.item()
        if self.kind is SphericalCovariance:
            values["dimension"] = D
        return self.kind(structure, floored, **values)


_FORMS: dict[type[AbstractCovariance], _Form] = {
    FullCovariance: _Form(FullCovariance, {"factors": "KDD", "root_matrices": "KDD", "log_determinants_": "K"}),
    SharedCovariance: _Form(SharedCovariance, {"factor": "DD", "root_matrix": "DD", "log_determinant": ""}),
    DiagonalCovariance: _Form(DiagonalCovariance, {"variances": "KD"}),
    SphericalCovariance: _Form(SphericalCovariance, {"variances": "K"}),
    LowRankCovariance: _Form(LowRankCovariance, {"loadings": "KDQ", "noise": "KD"}),
}


def _form_of(structure: Structure) -> _Form:
    if isinstance(structure, FactorStructure):
        return _FORMS[LowRankCovariance]
    if structure.orientation == "I":
        return _FORMS[SphericalCovariance if structure.shape == "I" else DiagonalCovariance]
    return _FORMS[SharedCovariance if str(structure) == "EEE" else FullCovariance]
