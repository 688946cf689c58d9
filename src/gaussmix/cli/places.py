"""Places to write to: checked before the work is done, and left clean where writing fails."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gaussmix.errors import FileProblem, GaussmixError


def require_file(path: Path, inputs: Sequence[Path]) -> None:
    """Check, before any work is done, that a file can be written and is none of those read.

    Raises
    ------
    FileProblem
        If it cannot be written, or is an input.
    """
    _require_target(path, inputs)
    if not path.parent.exists():
        raise FileProblem.unwritable(path, f"there is no folder {path.parent}")
    _require_room(path, path.parent)


def require_folder(folder: Path, names: Sequence[str], inputs: Sequence[Path]) -> None:
    """Check, before any work is done, that a folder can be made or used, and its files be written.

    Raises
    ------
    FileProblem
        If it cannot be written to, or one of the files to write is an input.
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    _require_room(folder, existing)
    for name in names:
        _require_target(folder / name, inputs)


def _require_target(path: Path, inputs: Sequence[Path]) -> None:
    if path.is_dir():
        raise FileProblem.unwritable(path, "it is a folder")
    if not path.exists():
        return
    if any(other.exists() and path.samefile(other) for other in inputs):
        raise FileProblem.is_input(path)
    if not os.access(path, os.W_OK):
        raise FileProblem.unwritable(path, "it is protected against writing")


def _require_room(path: Path, folder: Path) -> None:
    """Check that files can be made in a folder, by making one that is gone at once."""
    if not folder.is_dir():
        raise FileProblem.unwritable(path, f"{folder} is a file, not a folder")
    if not os.access(folder, os.W_OK):
        raise FileProblem.unwritable(path, f"there is no right to write in {folder}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise FileProblem.unwritable(path, f"no file can be made in {folder}") from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem.unwritable(folder, _reason(error)) from error


def partial(path: Path) -> Path:
    """Where a file is written before it gets its name, so that it appears whole or not at all."""
    return path.with_name(f"{path.name}.partial")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Say in one sentence why a file could not be written, and leave nothing half written behind."""
    try:
        yield path
    except BaseException as error:
        partial(path).unlink(missing_ok=True)
        cause = error.__cause__ if isinstance(error, GaussmixError) else error
        if isinstance(cause, OSError):
            raise FileProblem.unwritable(path, _reason(cause)) from error
        raise


def _reason(error: OSError) -> str:
    return error.strerror or " ".join(str(error).split())
