"""Build the shared library of compiled functions: ``python -m gaussmix.kernels.codegen.library_building``.

Each level of processors is compiled in processes of its own, since the width of registers is a constant of every
kernel. A C compiler links the object files; where there is none, that of the package ziglang does.
"""

import argparse
import hashlib
import importlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from gaussmix.kernels import library
from gaussmix.kernels.compiled_functions import COMPILED_FUNCTIONS, CompiledFunction
from gaussmix.kernels.cpu_levels import CpuLevel, level_from_name, levels_of_architecture

_KERNELS = Path(__file__).resolve().parent.parent

# The file beside a library that says what it was built from, and for what.
RECORD_FILE = "built_from.txt"


@dataclass(frozen=True)
class Target:
    """An operating system and architecture that a library is built for.

    ``llvm_triple`` and ``zig_target`` name it for LLVM and for ziglang, with the oldest system that is supported.
    """

    platform_name: str
    architecture: str
    llvm_triple: str
    zig_target: str


TARGETS = {
    "linux-x86_64": Target("linux", "x86_64", "x86_64-unknown-linux-gnu", "x86_64-linux-gnu.2.17"),
    "linux-aarch64": Target("linux", "aarch64", "aarch64-unknown-linux-gnu", "aarch64-linux-gnu.2.17"),
    "macos-x86_64": Target("darwin", "x86_64", "x86_64-apple-macosx10.15", "x86_64-macos.10.15"),
    "macos-arm64": Target("darwin", "arm64", "arm64-apple-macosx11.0", "aarch64-macos.11.0"),
    "windows-amd64": Target("win32", "amd64", "x86_64-pc-windows-gnu", "x86_64-windows-gnu"),
}


# Part of the function that chooses a level; compiled for the lowest.
_DETECTION = "detection"


def build_library(target_name: str, levels: list[CpuLevel], path: Path, linker: list[str]) -> None:
    """Compile all functions for all levels and link them to the shared library ``path``."""
    parts = dict.fromkeys(_part_of(function, version) for function, version, _ in _iterate_versions())
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(level, part, f"{folder}/{level.name} {part}.o") for part in parts for level in levels]
        jobs.append((levels[0], _DETECTION, f"{folder}/{_DETECTION}.o"))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda job: _compile_in_subprocess(target_name, *job), jobs))
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        subprocess.run([*linker, "-o", str(draft), *[output for _, _, output in jobs]], check=True)
        checksum = library.compute_checksum(str(draft))
        os.replace(draft, path)
    Path(library.checksum_path(str(path))).write_text(checksum, encoding="ascii")
    path.with_name(RECORD_FILE).write_text(_describe_build(target_name, levels))


def _iterate_versions() -> Iterator[tuple[CompiledFunction, int, tuple[str, ...]]]:
    """Yield every function with the number and the layouts of each of its versions."""
    for function in COMPILED_FUNCTIONS:
        for version, layouts in enumerate(function.layouts):
            yield function, version, layouts


def _part_of(function: CompiledFunction, version: int) -> str:
    """Return the part in which a version is compiled: functions that share kernels belong together."""
    room = function.module.split(".")[0]
    return f"{room} {version}" if room in ("passes", "fused") else "others"


def find_linker(target_name: str) -> list[str]:
    """Return the command that links a shared library: a C compiler for this machine, else that of ziglang."""
    own = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    # The code needs four functions of any C library, which the process has; so one library serves all of them.
    options = ["-shared", *(["-nostdlib"] if TARGETS[target_name].platform_name == "linux" else [])]
    if own is not None and target_name == host_target_name():
        return [own, *options]
    return [sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[target_name].zig_target, "-s", *options]


def host_target_name() -> str:
    """Return the name of this machine's target; raise KeyError if there is none."""
    machine = platform.machine().lower()
    for name, target in TARGETS.items():
        if target.platform_name == sys.platform and target.architecture == machine:
            return name
    raise KeyError(f"no code is generated for {sys.platform} on {machine}")


def hash_sources() -> str:
    """Return a hash of all sources of this package, by which a library of older sources is recognized."""
    stamp = hashlib.sha256()
    for source in sorted(_KERNELS.rglob("*.py")):
        stamp.update(source.relative_to(_KERNELS).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return stamp.hexdigest()


def is_current(target_name: str | None = None, levels: Sequence[CpuLevel] = ()) -> bool:
    """Return whether the library in the package was built from the present sources, and for these levels if given."""
    target = TARGETS[target_name or host_target_name()]
    path = Path(library.library_path(target.platform_name))
    record = path.with_name(RECORD_FILE)
    if not path.exists() or not record.exists():
        return False
    if levels:
        return record.read_text() == _describe_build(target_name or host_target_name(), levels)
    return record.read_text().split()[0] == hash_sources()


def _describe_build(target_name: str, levels: Sequence[CpuLevel]) -> str:
    """Return the hash of the sources, the target and the levels of a library as one line."""
    return " ".join([hash_sources(), target_name, *[level.name for level in levels]])


def _compile_in_subprocess(target_name: str, level: CpuLevel, part: str, output: str) -> None:
    """Compile one part for one level to an object file, in a process of its own."""
    command = [sys.executable, "-m", "gaussmix.kernels.codegen.library_building", "--target", target_name]
    # Builds are often isolated: Numba may lie in a folder that this process alone was told of.
    search_path = os.pathsep.join([str(_KERNELS.parent.parent), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": search_path}
    subprocess.run([*command, "--level", level.name, "--part", part, "--output", output], check=True, env=environment)


def compile_part(target_name: str, level: CpuLevel, part: str) -> bytes:
    """Return the object file of one part for one level; the level holds for all that this process compiles."""
    library.compile_for_level(level)
    object_building = importlib.import_module("gaussmix.kernels.codegen.object_building")
    triple = TARGETS[target_name].llvm_triple
    machine = object_building.make_machine(triple, level.llvm_cpu)
    if part == _DETECTION:
        cpu_detection = importlib.import_module("gaussmix.kernels.codegen.cpu_detection")
        return cast(bytes, cpu_detection.build_object_file(triple, machine))
    entry_points = [
        object_building.EntryPoint(
            getattr(importlib.import_module(f"gaussmix.kernels.{function.module}"), function.name),
            library.version_symbol(function.name, version, level),
            layouts,
        )
        for function, version, layouts in _iterate_versions()
        if _part_of(function, version) == part
    ]
    return cast(bytes, object_building.build_object_file(entry_points, machine))


def find_native_level() -> CpuLevel:
    """Return the highest level of this machine's processor."""
    llvm = importlib.import_module("llvmlite.binding")
    features = llvm.get_host_cpu_features()
    has_features = {
        "x86-64-v3": all(map(features.get, ("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"))),
        "x86-64-v4": all(map(features.get, ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"))),
    }
    return [level for level in levels_of_architecture(platform.machine()) if has_features.get(level.name, True)][-1]


def main(arguments: list[str] | None = None) -> None:
    """Build the library for this machine, or for another target; or compile one part of it."""
    parser = argparse.ArgumentParser(description="Build the shared library of compiled functions.")
    parser.add_argument("--target", choices=TARGETS, help="default: this machine")
    parser.add_argument("--level", default="native", help="'native' (this processor's), 'all', or the name of one")
    parser.add_argument("--output", type=Path, help="default: the place in the package where it is loaded from")
    parser.add_argument("--part", help="compile only this part, to an object file")
    options = parser.parse_args(arguments)
    target_name = options.target or host_target_name()
    target = TARGETS[target_name]
    output = options.output or Path(library.library_path(target.platform_name))
    levels = select_levels(target_name, options.level)
    if options.part:
        output.write_bytes(compile_part(target_name, levels[0], options.part))
    else:
        build_library(target_name, levels, output, find_linker(target_name))


def select_levels(target_name: str, selection: str) -> list[CpuLevel]:
    """Return the levels of a selection: 'native' for this processor's, 'all', or the name of one."""
    if selection == "all":
        return list(levels_of_architecture(TARGETS[target_name].architecture))
    return [find_native_level() if selection == "native" else level_from_name(selection)]


if __name__ == "__main__":
    main()
