"""The content of a file or of standard input, decompressed.

It is in Arrow's memory, not in Python objects, since a pool thread that released one could abort an exiting process.
"""

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gaussmix.cli.table_format import COMPRESSION_SUFFIXES, STANDARD_INPUT, input_name
from gaussmix.errors import FileError, FileFormatError

_N_START_BYTES = 1 << 20


def _decompress_zstd(content: bytes) -> bytes:
    """Return the bytes in a Zstandard file, by Arrow; the standard library has no reader of them before Python 3.14."""
    return bytes(pa.input_stream(pa.py_buffer(content), compression="zstd").read())


_DECOMPRESSION_BY_MAGIC: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"\x28\xb5\x2f\xfd": _decompress_zstd,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
}


@dataclass(frozen=True)
class FileContent:
    """The bytes of an input.

    Attributes
    ----------
    path : Path
        The file, or 'standard input'.
    suffix : str
        Ending of the name in lower case without that of a compression: '.csv'; '' for standard input.
    start : bytes
        The first bytes, at most 1 MiB.
    buffer : pa.Buffer or None
        All bytes; None if they are those of the file.
    """

    path: Path
    suffix: str
    start: bytes
    buffer: pa.Buffer | None = None

    @property
    def source(self) -> "Path | pa.BufferReader":
        """What Arrow reads the bytes from."""
        return self.path if self.buffer is None else pa.BufferReader(self.buffer)

    @property
    def is_standard_input(self) -> bool:
        """Whether the bytes are not those of a file."""
        return self.path == Path(input_name(STANDARD_INPUT))

    @property
    def is_complete(self) -> bool:
        """Whether ``start`` is all there is."""
        return len(self.start) < _N_START_BYTES

    def read(self) -> bytes:
        """Return all bytes."""
        return self.path.read_bytes() if self.buffer is None else bytes(self.buffer)

    def with_bytes(self, content: bytes) -> "FileContent":
        """Return an input of the same name with other bytes."""
        return FileContent(self.path, self.suffix, content[:_N_START_BYTES], _copy_to_arrow(content))


def read_content(path: Path) -> FileContent:
    """Open a file, or standard input for '-', and decompress it.

    Raises
    ------
    FileError
        If it does not exist, is not a file, is empty, or cannot be decompressed.
    """
    if path == STANDARD_INPUT:
        named = FileContent(Path(input_name(path)), "", b"")
        content = named.with_bytes(sys.stdin.buffer.read())
    else:
        _require_regular_file(path)
        with path.open("rb") as file:
            content = FileContent(path, _find_suffix(path), file.read(_N_START_BYTES))
    if not content.start.strip():
        raise FileError.empty_file(content.path)
    for magic, decompress in _DECOMPRESSION_BY_MAGIC.items():
        if content.start.startswith(magic):
            return content.with_bytes(_decompress(content, decompress))
    if path.suffix.lower() in COMPRESSION_SUFFIXES:
        raise FileFormatError.not_compressed(path, path.suffix)
    return content


def _decompress(content: FileContent, decompress: Callable[[bytes], bytes]) -> bytes:
    """Return decompressed bytes; raise FileError if there are none, or the file is damaged."""
    try:
        decompressed = decompress(content.read())
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise FileFormatError.damaged_compression(content.path) from error
    if not decompressed.strip():
        raise FileError.empty_file(content.path)
    return decompressed


def _copy_to_arrow(content: bytes) -> pa.Buffer:
    """Return a copy of the bytes in Arrow's own memory."""
    stream = pa.BufferOutputStream()
    stream.write(content)
    return stream.getvalue()


def _find_suffix(path: Path) -> str:
    """Return the ending of a file name that tells its kind, in lower case: '.csv' for a.csv.gz."""
    name = Path(path.stem) if path.suffix.lower() in COMPRESSION_SUFFIXES else path
    return name.suffix.lower()


def _require_regular_file(path: Path) -> None:
    """Raise FileError unless the path is an existing file, not a folder or a device."""
    if path.is_dir():
        raise FileError.not_a_file(path, "a folder")
    if not path.exists():
        raise FileError.not_found(path)
    if not path.is_file():
        raise FileError.not_a_file(path, "a device or a pipe")
