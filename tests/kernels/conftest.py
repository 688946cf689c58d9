"""Functions that tests compile for themselves."""

import ctypes
import subprocess
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from gaussmix.kernels import compiled_functions
from gaussmix.kernels.codegen.library_building import TARGETS, find_linker, host_target_name
from gaussmix.kernels.compiled_functions import CompiledFunction
from gaussmix.kernels.library import KernelLibrary, load_library, version_symbol


class CompileFunction(Protocol):
    """Compile a Python function as a kernel for arguments with these annotations."""

    def __call__(self, function: Any, *annotations: Any) -> CompiledFunction: ...


@pytest.fixture(scope="module")
def compile_function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompileFunction]:
    """Compile functions and link each to a library of its own."""
    pytest.importorskip("numba")
    from gaussmix.kernels.codegen import object_building
    from gaussmix.kernels.codegen.decorators import entry_point

    level, target = load_library().level, host_target_name()
    machine = object_building.make_machine(TARGETS[target].llvm_triple, level.llvm_cpu)
    patched = pytest.MonkeyPatch()

    def compile_one(function: Any, *annotations: Any) -> CompiledFunction:
        compiled = CompiledFunction(function.__name__, "", *annotations)
        kernel, name = entry_point(function), function.__name__
        entry_points = [
            object_building.EntryPoint(kernel, version_symbol(name, version, level), layouts)
            for version, layouts in enumerate(compiled.layouts)
        ]
        folder = tmp_path_factory.mktemp(name)
        (folder / "code.o").write_bytes(object_building.build_object_file(entry_points, machine))
        path = folder / "code.so"
        subprocess.run([*find_linker(target), "-o", str(path), str(folder / "code.o")], check=True)
        libraries[compiled.name] = KernelLibrary(ctypes.CDLL(str(path)), level)
        return compiled

    libraries: dict[str, KernelLibrary] = {}
    patched.setattr(compiled_functions, "load_library", lambda: _AnyLibrary(libraries))
    yield compile_one
    patched.undo()


class _AnyLibrary:
    """The libraries of all functions as one."""

    def __init__(self, libraries: dict[str, KernelLibrary]) -> None:
        self._libraries = libraries

    def address_of(self, name: str, version: int) -> int:
        return self._libraries[name].address_of(name, version)
