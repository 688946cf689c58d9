"""Cache compiled code on disk, so that a machine compiles it once.

A file holds one function for one combination of sources, machine and argument types; its name contains a hash
of these. The sources are all files of this package. Files are written atomically. After any
failure, the code is compiled again.
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

# The folder whose sources are hashed: the kernels package.
_SOURCE_FOLDER = dirname(dirname(abspath(__file__)))
_FILE_SUFFIX = ".obj"
_DIGEST_BYTES = hashlib.sha256().digest_size
# Settings of Numba that change the compiled code, without the prefix NUMBA_.
_NUMBA_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO", "CPU_NAME", "CPU_FEATURES")


def read_cached_object(file_name: str | None) -> bytes | None:
    """Return the cached content of a file name, or None if there is no intact file."""
    if file_name is None:
        return None
    for folder in _iterate_cache_folders():
        with suppress(OSError, ValueError):
            return _read_verified(join(folder, file_name))
    return None


def write_cached_object(file_name: str | None, content: bytes) -> None:
    """Write code to the first writable cache folder; without one, do nothing."""
    if file_name is None:
        return
    for folder in _iterate_cache_folders():
        with suppress(OSError):
            _write_atomically(folder, file_name, content)
            _remove_outdated_objects(folder, file_name)
            return


def cache_file_name(function_name: str, argument_layouts: tuple[str, ...]) -> str | None:
    """Return 'function.sources.key.obj' for a function with these layouts; None without sources to hash."""
    stamp = hash_sources(_SOURCE_FOLDER)
    if stamp is None:
        return None
    return f"{function_name}.{stamp[:16]}.{_sha256_hex(*argument_layouts, _describe_environment())[:32]}{_FILE_SUFFIX}"


@cache
def hash_sources(folder: str) -> str | None:
    """Return a hash of all source files in a folder and its subfolders; None if there are none."""
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
    """Return the SHA-256 hash of the parts as hexadecimal text."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _describe_environment() -> str:
    """Return text that identifies processor, LLVM version (and with it Numba's) and Numba's settings."""
    target = (llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    return str((llvmlite.__version__, target, [os.environ.get(f"NUMBA_{name}") for name in _NUMBA_SETTINGS]))


def _iterate_cache_folders() -> Iterator[str]:
    """Yield the folders to search, up to the first writable one."""
    for folder in _iterate_candidate_folders():
        yield folder
        if _is_writable(folder):
            return


def _is_writable(folder: str) -> bool:
    """Return whether files can be created in a folder; create the folder if needed."""
    with suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return True
    return False


def _iterate_candidate_folders() -> Iterator[str]:
    """Yield the folders that may hold compiled code.

    These are NUMBA_CACHE_DIR, the bytecode folder of this package (unless Python writes no bytecode), the
    user's cache folder, and a private folder in the temporary folder.
    """
    installation = (
        f"gaussmix-{_sha256_hex(_SOURCE_FOLDER)[:16]}"  # so that installations do not remove each other's code
    )
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield join(abspath(os.environ["NUMBA_CACHE_DIR"]), installation)
    if not sys.dont_write_bytecode:
        yield dirname(importlib.util.cache_from_source(abspath(__file__)))
    user_cache = _user_cache_folder()
    if isabs(user_cache):  # not absolute for a user without a home folder
        yield join(user_cache, "gaussmix", installation)
    with suppress(OSError):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        temporary = join(tempfile.gettempdir(), f"gaussmix-{user}")
        os.makedirs(temporary, mode=0o700, exist_ok=True)
        if _is_private_folder(temporary):
            yield join(temporary, installation)


def _user_cache_folder() -> str:
    """Return the operating system's cache folder of the user."""
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "darwin":
        return expanduser("~/Library/Caches")
    return os.environ.get("XDG_CACHE_HOME") or expanduser("~/.cache")


def _is_private_folder(folder: str) -> bool:
    """Return whether only this user can write to a folder that stands in a public place."""
    status = os.lstat(folder)
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _read_verified(path: str) -> bytes:
    """Return the content of a file; raise ValueError if it is damaged."""
    with open(path, "rb") as source:
        digest, content = source.read(_DIGEST_BYTES), source.read()
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(path)
    return content


def _write_atomically(folder: str, file_name: str, content: bytes) -> None:
    """Write a file so that readers see the old file, no file, or the complete new one."""
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
    """Remove files of the same function that were compiled from other sources."""
    function_name, stamp = file_name.split(".")[:2]
    for other_name in os.listdir(folder):
        parts = other_name.split(".")
        if other_name.endswith(_FILE_SUFFIX) and parts[0] == function_name and parts[1] != stamp:
            with suppress(OSError):
                os.remove(join(folder, other_name))
