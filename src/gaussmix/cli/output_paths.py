"""Output files and folders: checks before the work, and removal of partial files after a failure."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gaussmix.errors import FileError, GaussmixError


def require_writable_file(path: Path, input_paths: Sequence[Path]) -> None:
    """Raise FileError unless a file can be written and is not an input.

    Raises
    ------
    FileError
        If it cannot be written, or is an input.
    """
    _require_writable_target(path, input_paths)
    if not path.parent.exists():
        raise FileError.unwritable(path, f"there is no folder {path.parent}")
    _require_writable_parent(path, path.parent)


def require_writable_folder(folder: Path, file_names: Sequence[str], input_paths: Sequence[Path]) -> None:
    """Raise FileError unless a folder can be created or used and its files can be written.

    Raises
    ------
    FileError
        If it cannot be written to, or one of the files to write is an input.
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    _require_writable_parent(folder, existing)
    for name in file_names:
        _require_writable_target(folder / name, input_paths)


def _require_writable_target(path: Path, input_paths: Sequence[Path]) -> None:
    """Raise FileError if the path is a folder, or an existing file that is write-protected or an input."""
    if path.is_dir():
        raise FileError.unwritable(path, "it is a folder")
    if not path.exists():
        return
    if any(other.exists() and path.samefile(other) for other in input_paths):
        raise FileError.overwrites_input(path)
    if not os.access(path, os.W_OK):
        raise FileError.unwritable(path, "it is write-protected")


def _require_writable_parent(path: Path, parent: Path) -> None:
    """Raise FileError unless files can be created in the folder ``parent``; it creates a temporary file."""
    if not parent.is_dir():
        raise FileError.unwritable(path, f"{parent} is a file, not a folder")
    if not os.access(parent, os.W_OK):
        raise FileError.unwritable(path, f"there is no permission to write in {parent}")
    try:
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise FileError.unwritable(path, f"no file can be created in {parent}") from error


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, if they do not exist; raise FileError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError.unwritable(folder, _format_os_error(error)) from error


def partial_path(path: Path) -> Path:
    """Return the path with ``.partial`` added: the temporary file that is renamed to ``path`` when complete."""
    return path.with_name(f"{path.name}.partial")


@contextmanager
def remove_partial_on_failure(path: Path) -> Iterator[Path]:
    """Yield the path; if writing fails, remove its partial file and raise FileError for an OSError."""
    try:
        yield path
    except BaseException as error:
        partial_path(path).unlink(missing_ok=True)
        cause = error.__cause__ if isinstance(error, GaussmixError) else error
        if isinstance(cause, OSError):
            raise FileError.unwritable(path, _format_os_error(cause)) from error
        raise


def _format_os_error(error: OSError) -> str:
    """Return the system's message of an error on one line."""
    return error.strerror or " ".join(str(error).split())
