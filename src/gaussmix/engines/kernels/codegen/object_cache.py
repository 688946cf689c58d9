"""Compiled code kept on disk, so that a machine compiles it once.

One file holds one function for one combination of sources, machine and argument types. It is written in one
piece, and looked up by a hash of all of them: of the sources of this package, whichever of them the code was
compiled from. Whatever goes wrong, the code is compiled again.
"""

import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from os.path import abspath, dirname, expanduser, isabs, join

import llvmlite
import llvmlite.binding as llvm

_SOURCE_FOLDER = dirname(dirname(abspath(__file__)))
_FILE_SUFFIX = ".obj"
_DIGEST_BYTES = hashlib.sha256().digest_size
_NUMBA_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO", "CPU_NAME", "CPU_FEATURES")
"""Those of Numba's that change the code it makes, without NUMBA_."""


def read_cached_object(file_name: str | None) -> bytes | None:
    """What was kept under a name, None where there is nothing that is whole."""
    if file_name is None:
        return None
    for folder in _iterate_cache_folders():
        with suppress(OSError, ValueError):
            return _read_verified(join(folder, file_name))
    return None


def write_cached_object(file_name: str | None, content: bytes) -> None:
    """Keep code where the next process looks for it, if there is a place; it runs all the same."""
    if file_name is None:
        return
    for folder in _iterate_cache_folders():
        with suppress(OSError):
            _write_atomically(folder, file_name, content)
            _remove_outdated_objects(folder, file_name)
            return


def cache_file_name(function_name: str, argument_layouts: tuple[str, ...]) -> str | None:
    """'function.sources.key.obj' for a function of these argument types; None without sources to hash."""
    stamp = hash_sources(_SOURCE_FOLDER)
    if stamp is None:
        return None
    return f"{function_name}.{stamp[:16]}.{_sha256_hex(*argument_layouts, _describe_environment())[:32]}{_FILE_SUFFIX}"


@cache
def hash_sources(folder: str) -> str | None:
    """A hash of all source files in and below a folder; None if there are none to read."""
    stamp = hashlib.sha256()
    sources = sorted(join(root, name) for root, _, names in os.walk(folder) for name in names if name.endswith(".py"))
    try:
        for location in sources:
            with open(location, "rb") as source:
                stamp.update(location[len(folder) :].encode() + b"\0" + source.read() + b"\0")
    except OSError:
        return None
    return stamp.hexdigest() if sources else None


def _sha256_hex(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _describe_environment() -> str:
    """What else decides on the machine code: the processor, LLVM (and Numba, which goes with one), its settings."""
    machine = (llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    return str((llvmlite.__version__, machine, [os.environ.get(f"NUMBA_{name}") for name in _NUMBA_SETTINGS]))


def _iterate_cache_folders() -> Iterator[str]:
    """Folders to look in, up to and with the first that can be written to."""
    for folder in _iterate_candidate_folders():
        yield folder
        if _is_writable(folder):
            return


def _is_writable(folder: str) -> bool:
    with suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return True
    return False


def _iterate_candidate_folders() -> Iterator[str]:
    """Folders that may hold code.

    NUMBA_CACHE_DIR where it is set, the folder of this package's bytecode unless Python is told to
    write none, the user's cache folder, and a folder of the user's own among temporary files.
    """
    installed = (
        f"gaussmix-{_sha256_hex(_SOURCE_FOLDER)[:16]}"  # several installations do not clear away each other's code
    )
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield join(abspath(os.environ["NUMBA_CACHE_DIR"]), installed)
    if not sys.dont_write_bytecode:
        yield dirname(importlib.util.cache_from_source(abspath(__file__)))
    caches = _user_cache_folder()
    if isabs(caches):  # a user without a home has none
        yield join(caches, "gaussmix", installed)
    with suppress(OSError):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        own = join(tempfile.gettempdir(), f"gaussmix-{user}")
        os.makedirs(own, mode=0o700, exist_ok=True)
        if _is_private_folder(own):
            yield join(own, installed)


def _user_cache_folder() -> str:
    """The folder where programs keep what they can make again, by the custom of the system."""
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "darwin":
        return expanduser("~/Library/Caches")
    return os.environ.get("XDG_CACHE_HOME") or expanduser("~/.cache")


def _is_private_folder(folder: str) -> bool:
    """Whether nobody else can put code into a folder that stands where everybody may write."""
    found = os.lstat(folder)
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(found.st_mode)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _read_verified(path: str) -> bytes:
    """What was written there; ValueError if that is no longer whole."""
    with open(path, "rb") as source:
        digest, content = source.read(_DIGEST_BYTES), source.read()
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(path)
    return content


def _write_atomically(folder: str, file_name: str, content: bytes) -> None:
    """Write in one piece: whoever looks meanwhile sees the old file, or none, or the whole."""
    draft = join(folder, f"{file_name}.{uuid.uuid4().hex[:16]}")
    try:
        with open(draft, "xb") as target:
            target.write(hashlib.sha256(content).digest() + content)
        os.replace(draft, join(folder, file_name))
    except OSError:
        with suppress(OSError):
            os.remove(draft)
        raise


def _remove_outdated_objects(folder: str, file_name: str) -> None:
    """Remove the same function compiled from other sources."""
    function, stamp = file_name.split(".")[:2]
    for other in os.listdir(folder):
        parts = other.split(".")
        if other.endswith(_FILE_SUFFIX) and parts[0] == function and parts[1] != stamp:
            with suppress(OSError):
                os.remove(join(folder, other))
