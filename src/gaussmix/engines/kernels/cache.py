"""Compiled code kept on disk, so that a machine compiles it once.

Numba's own cache would serve stale code here: it looks at the file of a function alone, while ours
are compiled from all files of this package. It also stops with an error where no folder can be written
to, and with several processes or a damaged file it may load another function's code. So code lies in
one file per function, sources, machine and argument types, is written in one piece, and is looked up
by a hash of all of them. Whatever goes wrong, the code is compiled again.
"""

import hashlib
import importlib.util
import os
import pickle
import stat
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from os.path import abspath, dirname, expanduser, isabs, join
from typing import Any

import llvmlite
import llvmlite.binding
import numba
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

_PACKAGE = dirname(abspath(__file__))
_ENDING = ".nbc"
_DIGEST_SIZE = hashlib.sha256().digest_size


class CodeCache(NullCache):  # type: ignore[misc]
    """The compiled versions of one function, for Numba's dispatcher to ask and to tell."""

    def __init__(self, name: str) -> None:
        self._name = name

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """Code compiled for these argument types, None where there is none that is whole."""
        target_context.refresh()
        name = self._file_name(signature, target_context.codegen())
        if name is None:
            return None
        for folder in _folders():
            with suppress(Exception):  # unpickling what another program wrote can raise anything
                return CompileResult._rebuild(target_context, *pickle.loads(_read(join(folder, name))))
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep compiled code where the next process looks for it."""
        name = self._file_name(signature, compiled.codegen)
        if name is None or compiled.library.has_dynamic_globals:
            return
        with suppress(Exception):  # code that cannot be kept runs all the same
            content = dumps(compiled._reduce())
            for folder in _folders():
                with suppress(OSError):
                    _write(folder, name, content)
                    _remove_outdated(folder, name)
                    return

    def _file_name(self, signature: Any, codegen: Any) -> str | None:
        """'function.cpython-311.sources.key.nbc', None without sources to hash."""
        stamp = source_stamp(_PACKAGE)
        if stamp is None:
            return None
        key = _hash(str(signature), str(codegen.magic_tuple()), _environment())
        return f"{self._name}.{sys.implementation.cache_tag}.{stamp[:16]}.{key[:32]}{_ENDING}"


@cache
def source_stamp(folder: str) -> str | None:
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


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _environment() -> str:
    """What else decides on the machine code: versions, the processor that ``emit`` writes for, Numba's settings."""
    binding = llvmlite.binding
    versions = (sys.version, numba.__version__, llvmlite.__version__)
    machine = (binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    settings = (config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE, config.BOUNDSCHECK, config.DEBUGINFO_DEFAULT)
    return str((versions, machine, settings))


def _folders() -> Iterator[str]:
    """Folders to look in, up to and with the first that can be written to."""
    for folder in _candidates():
        yield folder
        if _is_writable(folder):
            return


def _is_writable(folder: str) -> bool:
    with suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        return True
    return False


def _candidates() -> Iterator[str]:
    """Folders that may hold code.

    NUMBA_CACHE_DIR where it is set, the folder of this package's bytecode unless Python is told to
    write none, the user's cache folder, and a folder of the user's own among temporary files.
    """
    installed = f"gaussmix-{_hash(_PACKAGE)[:16]}"  # several installations do not clear away each other's code
    if config.CACHE_DIR:
        yield join(abspath(config.CACHE_DIR), installed)
    if not sys.dont_write_bytecode:
        yield dirname(importlib.util.cache_from_source(abspath(__file__)))
    caches = _user_caches()
    if isabs(caches):  # a user without a home has none
        yield join(caches, "gaussmix", installed)
    with suppress(OSError):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        own = join(tempfile.gettempdir(), f"gaussmix-{user}")
        os.makedirs(own, mode=0o700, exist_ok=True)
        if _is_private(own):
            yield join(own, installed)


def _user_caches() -> str:
    """The folder where programs keep what they can make again, by the custom of the system."""
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "darwin":
        return expanduser("~/Library/Caches")
    return os.environ.get("XDG_CACHE_HOME") or expanduser("~/.cache")


def _is_private(folder: str) -> bool:
    """Whether nobody else can put code into a folder that stands where everybody may write."""
    found = os.lstat(folder)
    if not hasattr(os, "getuid"):
        return stat.S_ISDIR(found.st_mode)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _read(location: str) -> bytes:
    """What was written there; ValueError if that is no longer whole."""
    with open(location, "rb") as source:
        digest, content = source.read(_DIGEST_SIZE), source.read()
    if hashlib.sha256(content).digest() != digest:
        raise ValueError(location)
    return content


def _write(folder: str, name: str, content: bytes) -> None:
    """Write in one piece: whoever looks meanwhile sees the old file, or none, or the whole."""
    draft = join(folder, f"{name}.{uuid.uuid4().hex[:16]}")
    try:
        with open(draft, "xb") as target:
            target.write(hashlib.sha256(content).digest() + content)
        os.replace(draft, join(folder, name))
    except OSError:
        with suppress(OSError):
            os.remove(draft)
        raise


def _remove_outdated(folder: str, name: str) -> None:
    """Remove the same function compiled from other sources."""
    function, tag, stamp = name.split(".")[:3]
    for other in os.listdir(folder):
        parts = other.split(".")
        if other.endswith(_ENDING) and parts[:2] == [function, tag] and parts[2] != stamp:
            with suppress(OSError):
                os.remove(join(folder, other))
