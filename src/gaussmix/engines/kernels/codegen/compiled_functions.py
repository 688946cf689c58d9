"""The compiled functions that Python calls: found on disk, or else compiled, when they are first called.

Each has one version for every combination of argument types that it meets. Only where a version is missing
is Numba imported, with everything that is written for it.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_char_p, c_double, c_int64
from importlib import import_module
from typing import Any, cast

import numpy as np

from gaussmix.engines.kernels.codegen import object_cache
from gaussmix.engines.kernels.codegen.object_loading import load_object_files
from gaussmix.engines.kernels.codegen.packed_arguments import PackedArguments, number_type_code, pack_arguments
from gaussmix.errors import CompilationError

if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
    raise ImportError("NUMBA_DISABLE_JIT is set, and kernels cannot run uncompiled")

ArgumentLayouts = tuple[str, ...]
"""The types of all arguments (see `Words`)."""

_compile_lock = threading.RLock()
"""Held while code is loaded or compiled: whoever needs the same code waits for it."""


class CompiledFunction:
    """A compiled function of tuples (as `Words`), arrays and numbers; gives an integer, 0 where it gives nothing.

    Calls let go of the interpreter's lock. ``source`` gives the function as Numba knows it; ``base`` another entry
    whose kernels it shares, and the types of that one's arguments for those of its own.
    """

    def __init__(
        self,
        name: str,
        import_kernel: Callable[[], Any],
        base: tuple["CompiledFunction", Callable[..., ArgumentLayouts]] | None = None,
    ) -> None:
        self._name, self._import_kernel, self._base = name, import_kernel, base
        self._functions_by_layouts: dict[ArgumentLayouts, Callable[..., int]] = {}
        self._functions_by_call_types: dict[tuple[str | type, ...], Callable[..., int]] = {}
        self._failure: Exception | None = None

    def __call__(self, *arguments: Any) -> int:
        # Blocks of few rows are called for by the thousand: what they have in common is looked up in one step.
        seen = self._functions_by_call_types.get(
            tuple([each.layout if type(each) is PackedArguments else type(each) for each in arguments])
        )
        if seen is None:
            return self._resolve_and_call(arguments)
        return seen(*[each.packed_bytes if type(each) is PackedArguments else each for each in arguments])

    def _resolve_and_call(self, arguments: tuple[Any, ...]) -> int:
        """A call with types not seen before, or with arrays, whose types do not tell everything."""
        layouts, passed = [], []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument = pack_arguments((argument,))
            if type(argument) is PackedArguments:
                layouts.append(argument.layout)
                passed.append(argument.packed_bytes)
            else:
                layouts.append(number_type_code(argument))
                passed.append(argument)
        version = self._functions_by_layouts.get(tuple(layouts)) or self._load_or_compile(tuple(layouts))
        kinds = tuple([each.layout if type(each) is PackedArguments else type(each) for each in arguments])
        if np.ndarray not in kinds:
            self._functions_by_call_types[kinds] = version
        return version(*passed)

    def _load_or_compile(self, layouts: ArgumentLayouts) -> Callable[..., int]:
        """Whatever goes wrong goes wrong again: it is tried once."""
        with _compile_lock:
            if layouts not in self._functions_by_layouts and self._failure is None:
                try:
                    self._functions_by_layouts[layouts] = _c_function_type(layouts)(
                        load_object_files(self._object_files(layouts), self._name)
                    )
                except Exception as reason:  # a missing, damaged or future Numba can raise anything
                    self._failure = reason.with_traceback(None)  # its frames hold rows
            if layouts in self._functions_by_layouts:
                return self._functions_by_layouts[layouts]
            failure = cast(Exception, self._failure)
            raise CompilationError.from_reason(failure) from failure

    def _object_files(self, layouts: ArgumentLayouts) -> list[bytes]:
        """The object files of a version: its own, and the one that this refers to."""
        base = self._base[0]._object_files(self._base[1](*layouts)) if self._base else []
        name = object_cache.cache_file_name(self._name, layouts)
        code = object_cache.read_cached_object(name)
        if code is None:
            with _pause_garbage_collection():
                building = import_module("gaussmix.engines.kernels.codegen.object_building")
                code = cast(
                    bytes, building.build_object_file(self._import_kernel(), self._name, layouts, b"".join(base))
                )
            object_cache.write_cached_object(name, code)
        return [code, *base]


@contextmanager
def _pause_garbage_collection() -> Iterator[None]:
    """Compiling makes millions of objects that live till its end: collecting garbage meanwhile finds none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _c_function_type(layouts: ArgumentLayouts) -> Any:
    """The type of C's function for arguments of these types."""
    numbers: dict[str, Any] = {"d": c_double, "q": c_int64, "b": c_int64}
    return CFUNCTYPE(c_int64, *[numbers.get(layout, c_char_p) for layout in layouts])


def _kernel_importer(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(f"gaussmix.engines.kernels.{module}"), name)


def _full_pass_layouts(
    rows: str,
    n_rows: str,
    model: str,
    tile: str,
    bounds: str,
    screening: str,
    moment_code: str,
    is_hard: str,
    *other_layouts: str,
) -> ArgumentLayouts:
    """Types of the arguments of a full pass that goes with a screened one."""
    return (rows, n_rows, n_rows, model, tile, moment_code, is_hard, "d", *other_layouts)


run_full_pass = CompiledFunction("run_full_pass", _kernel_importer("passes.full_pass", "run_full_pass"))
run_screened_pass = CompiledFunction(
    "run_screened_pass",
    _kernel_importer("passes.screened_pass", "run_screened_pass"),
    (run_full_pass, _full_pass_layouts),
)
mark_open_pairs = CompiledFunction("mark_open_pairs", _kernel_importer("passes.candidate_lists", "mark_open_pairs"))
fill_candidate_lists = CompiledFunction(
    "fill_candidate_lists", _kernel_importer("passes.candidate_lists", "fill_candidate_lists")
)
run_fused_em = CompiledFunction("run_fused_em", _kernel_importer("fused.em_loop", "run_fused_em"))
