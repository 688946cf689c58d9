"""Folders that commands write: their model files, and the input that a model of ``gaussmix fit`` belongs to."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from gaussmix.cli.table_format import STANDARD_INPUT, input_name
from gaussmix.errors import ArchiveError, FileError, ModelFolderError

MODEL_FILE = "model.safetensors"
DETECTOR_FILE = "detector.safetensors"  # of gaussmix anomalies
CHURN_FILE = "churn.safetensors"
_DIGEST_BYTES = 1 << 20  # of the start and of the end of a file
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class InputRecord:
    """What a model file says about the file that was fitted; it holds no folder, since models are shared.

    Attributes
    ----------
    name : str
        The file's name without its folder.
    path_digest, content_digest : str
        Of the absolute path, and of the size, the start and the end of the content; empty for standard input.
    """

    name: str
    path_digest: str
    content_digest: str

    @classmethod
    def of_file(cls, path: Path) -> "InputRecord":
        """Return the record of a file that exists, or of standard input."""
        if path == STANDARD_INPUT:
            return cls(input_name(path), "", "")
        digest = hashlib.sha256(str(path.stat().st_size).encode())
        with path.open("rb") as file:
            digest.update(file.read(_DIGEST_BYTES))
            file.seek(max(0, path.stat().st_size - _DIGEST_BYTES))
            digest.update(file.read(_DIGEST_BYTES))
        path_digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
        return cls(path.name, path_digest[:_DIGEST_LENGTH], digest.hexdigest()[:_DIGEST_LENGTH])

    def is_same_input(self, other: "InputRecord") -> bool:
        """Return whether both are one file, or two with the same name and content, such as a file that has moved."""
        if self.path_digest == other.path_digest:
            return True
        return (self.name, self.content_digest) == (other.name, other.content_digest)

    def to_json(self) -> str:
        """Return the record as a string for a model file."""
        return json.dumps(asdict(self))


def find_model_file(path: Path, file_name: str = MODEL_FILE) -> Path:
    """Return the path of a model file, which may be given by its folder.

    Raises
    ------
    ModelFolderError
        If the path is a folder without a model.
    """
    if not path.is_dir():
        return path
    if not (path / file_name).is_file():
        raise ModelFolderError.no_model(path, file_name)
    return path / file_name


def read_input_record(model_file: Path) -> InputRecord | None:
    """Return what a model file says about its input; None if it says nothing or cannot be read."""
    from gaussmix.model.serialization import read_source

    try:
        source = read_source(model_file)
        return None if source is None else InputRecord(**json.loads(source))
    except (FileError, ArchiveError, ValueError, TypeError):
        return None


def require_same_input(folder: Path, file: Path) -> None:
    """Raise ModelFolderError if a folder holds the model of another file; a folder of unknown input is allowed."""
    if file != STANDARD_INPUT and not file.is_file():
        return  # the reader says what is wrong with the file
    earlier = read_input_record(folder / MODEL_FILE)
    if earlier is not None and not earlier.is_same_input(InputRecord.of_file(file)):
        raise ModelFolderError.has_other_input(folder, earlier.name)
