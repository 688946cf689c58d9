"""The shared library of compiled functions: find it, load it, and choose the code for this processor.

One library holds the functions of all levels of processors (`cpu_levels`). It is built with the package and needs
nothing but the C library, so loading it takes a millisecond.
"""

import ctypes
import os
import platform
import sys
import zlib
from dataclasses import dataclass
from functools import cache
from os.path import abspath, dirname, join

from gaussmix.errors import CompiledCodeError
from gaussmix.kernels.cpu_levels import LEVEL_VARIABLE, CpuLevel, levels_of_architecture

LIBRARY_FOLDER = join(dirname(abspath(__file__)), "library")
_FILE_NAMES = {"win32": "gaussmix_kernels.dll", "darwin": "gaussmix_kernels.dylib"}

# A function that a library holds for each of its levels.
_FUNCTION_OF_ALL_LEVELS = "run_full_pass"

# The function that counts the levels above the lowest that a processor has.
DETECT_SYMBOL = "gaussmix_detect_cpu_level"


@dataclass(frozen=True)
class KernelLibrary:
    """The loaded library, and the level of processors whose code is used."""

    handle: ctypes.CDLL
    level: CpuLevel

    def address_of(self, function_name: str, version: int) -> int:
        """Return the address of one version of a function; raise CompiledCodeError if the library lacks it."""
        symbol = version_symbol(function_name, version, self.level)
        try:
            return ctypes.cast(getattr(self.handle, symbol), ctypes.c_void_p).value or 0
        except AttributeError:
            raise CompiledCodeError.missing_function(function_name, self.handle._name) from None


def library_path(platform_name: str = sys.platform) -> str:
    """Return where the library of a platform lies, whether it exists or not."""
    return join(LIBRARY_FOLDER, _FILE_NAMES.get(platform_name, "gaussmix_kernels.so"))


def checksum_path(path: str) -> str:
    """Return where the checksum of a library lies."""
    return f"{path}.crc32"


def compute_checksum(path: str) -> str:
    """Return the number of bytes of a file and their checksum as text."""
    with open(path, "rb") as file:
        content = file.read()
    return f"{len(content)} bytes, CRC-32 {zlib.crc32(content):08x}"


def version_symbol(function_name: str, version: int, level: CpuLevel) -> str:
    """Return the symbol of one version of a function for one level."""
    return f"gaussmix_{function_name}_{version}_{level.name.replace('-', '_')}"


@cache
def load_library() -> KernelLibrary:
    """Load the library; raise CompiledCodeError if it is missing, damaged, or has no code for this processor."""
    path = library_path()
    if not os.path.exists(path):
        raise CompiledCodeError.no_library(path)
    try:
        _require_whole_library(path)
        handle = ctypes.CDLL(path)
    except OSError as reason:
        raise CompiledCodeError.unusable_library(path, reason) from None
    return KernelLibrary(handle, _choose_level(handle, os.environ.get(LEVEL_VARIABLE)))


def _require_whole_library(path: str) -> None:
    """Raise CompiledCodeError if a library differs from the one that was built: code of a part would end the process.

    A library without a checksum, such as one that a distribution has stripped, is taken as it is.
    """
    if os.path.exists(checksum_path(path)):
        with open(checksum_path(path), encoding="ascii") as file:
            expected, found = file.read(), compute_checksum(path)
        if found != expected:
            raise CompiledCodeError.damaged_library(path, found, expected)


def _choose_level(handle: ctypes.CDLL, forced_name: str | None) -> CpuLevel:
    """Return the highest level that the processor has and the library holds code for, or the forced one."""
    levels = levels_of_architecture(platform.machine())
    if levels and hasattr(handle, DETECT_SYMBOL):
        levels = levels[: 1 + getattr(handle, DETECT_SYMBOL)()]
    usable = [level for level in levels if hasattr(handle, version_symbol(_FUNCTION_OF_ALL_LEVELS, 0, level))]
    if forced_name:
        usable = [level for level in usable if level.name == forced_name]
    if not usable:
        names = [level.name for level in levels]
        if forced_name:
            raise CompiledCodeError.no_forced_level(LEVEL_VARIABLE, forced_name, names)
        raise CompiledCodeError.no_level(platform.machine(), names)
    return usable[-1]


_levels_to_compile: list[CpuLevel] = []


def compile_for_level(level: CpuLevel) -> None:
    """Make `current_level` return a level that need not be that of this machine: kernels are about to be compiled."""
    _levels_to_compile.append(level)


def current_level() -> CpuLevel:
    """Return the level whose constants hold: that of the loaded library, or the one that is being compiled."""
    return _levels_to_compile[-1] if _levels_to_compile else load_library().level
