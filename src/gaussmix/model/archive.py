"""Archives: safetensors files of strings and arrays with format, schema number and checksum; they hold no code."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import NamedTuple, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize_tensors

from gaussmix.errors import ArchiveError, DamagedModelError, FileError
from gaussmix.types import AnyArray

V = TypeVar("V")

# What a reader of damaged content may raise; the caller makes an ArchiveError of it, which names the file.
DAMAGE_ERRORS = (KeyError, ValueError, TypeError, IndexError, AttributeError)


class ArchiveContent(NamedTuple):
    """The strings and the arrays of a file, by name. The strings ``format`` and ``schema`` tell what it contains."""

    metadata: dict[str, str]
    tensors: dict[str, AnyArray]

    def with_prefix(self, prefix: str) -> "ArchiveContent":
        """Return the content with a prefix before every name, so that one file can hold several models."""
        return ArchiveContent(
            {prefix + name: text for name, text in self.metadata.items()},
            {prefix + name: tensor for name, tensor in self.tensors.items()},
        )

    def part(self, prefix: str) -> "ArchiveContent":
        """Return what `with_prefix` put below a prefix."""
        return ArchiveContent(_select_part(self.metadata, prefix), _select_part(self.tensors, prefix))


def _select_part(values: Mapping[str, V], prefix: str) -> dict[str, V]:
    """Return the values whose name starts with a prefix, by the rest of their name."""
    return {name[len(prefix) :]: value for name, value in values.items() if name.startswith(prefix)}


def write_archive(path: str | PathLike[str], metadata: dict[str, str], tensors: dict[str, AnyArray]) -> None:
    """Write strings and arrays to a file, with a checksum. The file is complete or absent, also after a failure.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    arrays = {key: np.asarray(value, order="C") for key, value in tensors.items()}
    content = serialize_tensors(arrays, {**metadata, "sha256": compute_checksum(arrays, metadata)})
    partial = f"{os.fspath(path)}.partial"
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise FileError.model_unwritable(os.fspath(path), error) from error


def read_archive(path: str | PathLike[str], archive_format: str, schemas: Sequence[str]) -> ArchiveContent:
    """Read a file of one format and of one of some schemas; its checksum is not verified yet.

    Raises
    ------
    FileError
        If there is no such file, or it cannot be read.
    ArchiveError
        If it is no safetensors file, or has another format or schema.
    """
    content = _read_safetensors(path)
    if content.metadata.get("format") != archive_format:
        raise ArchiveError.unknown_format(path)
    if content.metadata.get("schema") not in schemas:
        raise ArchiveError.unknown_schema(path, content.metadata.get("schema"), schemas)
    return content


def verify_checksum(content: ArchiveContent) -> ArchiveContent:
    """Return the content, or raise DamagedModelError if it is not what was written."""
    if content.metadata["sha256"] != compute_checksum(content.tensors, content.metadata):
        raise DamagedModelError.wrong_checksum()
    return content


def compute_checksum(tensors: dict[str, AnyArray], metadata: dict[str, str]) -> str:
    """Return the SHA-256 of all strings and of all arrays with their names and shapes, sorted by name."""
    hashed_metadata = {key: value for key, value in metadata.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(hashed_metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype.str} {tensors[name].shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def read_strings(path: str | PathLike[str]) -> dict[str, str]:
    """Read the strings of a file; raise FileError or ArchiveError if that fails."""
    return _read_safetensors(path).metadata


def _read_safetensors(path: str | PathLike[str]) -> ArchiveContent:
    """Read the strings and the arrays of a safetensors file; raise FileError or ArchiveError if that fails."""
    if os.path.isdir(path):
        raise FileError.model_is_a_folder(os.fspath(path))
    if not os.path.isfile(path):
        raise FileError.model_not_found(os.fspath(path))
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            return ArchiveContent(file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise ArchiveError.not_safetensors(path, error) from error
