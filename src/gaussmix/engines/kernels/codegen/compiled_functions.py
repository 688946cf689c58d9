"""Compiled functions that Python calls: read from the disk cache, or compiled, at their first call.

A function has one version for each combination of argument types. LLVM's loader loads its object file.
Numba is imported only if a version must be compiled: that takes half a second and more memory than a fit.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import CFUNCTYPE, c_char_p, c_double, c_int64
from importlib import import_module
from typing import Any, cast

import llvmlite.binding as llvm
import numpy as np

from gaussmix.engines.kernels.codegen import object_cache
from gaussmix.engines.kernels.codegen.packed_arguments import PackedArguments, number_type_code, pack_arguments
from gaussmix.errors import CompilationError

if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
    raise ImportError("NUMBA_DISABLE_JIT is set, and kernels cannot run uncompiled")

# The types of all arguments (see `PackedArguments`).
ArgumentLayouts = tuple[str, ...]

# Held while code is loaded or compiled, so that other threads wait for the result.
_compile_lock = threading.RLock()


class CompiledFunction:
    """A compiled function of argument tuples, arrays and numbers that returns an integer (0 without a result).

    Calls release the interpreter's lock.

    Parameters
    ----------
    name : str
        The exported symbol, also the first part of the cached file's name.
    import_kernel : callable
        Returns the Numba function to compile.
    base : tuple of CompiledFunction and callable, optional
        Another function whose kernels this one shares, and a callable that maps the layouts of this
        function's arguments to those of the other.
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
        # Small blocks cause thousands of calls, so a single lookup finds the function.
        """Call the version for the types of the arguments."""
        function = self._functions_by_call_types.get(
            tuple([value.layout if type(value) is PackedArguments else type(value) for value in arguments])
        )
        if function is None:
            return self._resolve_and_call(arguments)
        return function(*[value.packed_bytes if type(value) is PackedArguments else value for value in arguments])

    def _resolve_and_call(self, arguments: tuple[Any, ...]) -> int:
        """Call the function with argument types not seen before, or with arrays."""
        layouts, c_arguments = [], []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument = pack_arguments((argument,))
            if type(argument) is PackedArguments:
                layouts.append(argument.layout)
                c_arguments.append(argument.packed_bytes)
            else:
                layouts.append(number_type_code(argument))
                c_arguments.append(argument)
        function = self._functions_by_layouts.get(tuple(layouts)) or self._load_or_compile(tuple(layouts))
        call_types = tuple([value.layout if type(value) is PackedArguments else type(value) for value in arguments])
        if np.ndarray not in call_types:
            self._functions_by_call_types[call_types] = function
        return function(*c_arguments)

    def _load_or_compile(self, layouts: ArgumentLayouts) -> Callable[..., int]:
        """Return the version for these layouts; after a failure, every call fails with the same reason."""
        with _compile_lock:
            if layouts not in self._functions_by_layouts and self._failure is None:
                try:
                    self._functions_by_layouts[layouts] = _c_function_type(layouts)(
                        load_object_files(self._object_files(layouts), self._name)
                    )
                except Exception as reason:  # a missing, damaged or newer Numba can raise anything
                    self._failure = reason.with_traceback(None)  # the traceback's frames would keep rows alive
            if layouts in self._functions_by_layouts:
                return self._functions_by_layouts[layouts]
            failure = cast(Exception, self._failure)
            raise CompilationError.from_reason(failure) from failure

    def _object_files(self, layouts: ArgumentLayouts) -> list[bytes]:
        """Return the object files of a version: its own, then that of the base."""
        base_object_files = self._base[0]._object_files(self._base[1](*layouts)) if self._base else []
        file_name = object_cache.cache_file_name(self._name, layouts)
        object_file = object_cache.read_cached_object(file_name)
        if object_file is None:
            with _pause_garbage_collection():
                object_building = import_module("gaussmix.engines.kernels.codegen.object_building")
                object_file = cast(
                    bytes,
                    object_building.build_object_file(
                        self._import_kernel(), self._name, layouts, b"".join(base_object_files)
                    ),
                )
            object_cache.write_cached_object(file_name, object_file)
        return [object_file, *base_object_files]


# Owners of the loaded code, which may be called until the process ends.
_loaded_engines: list[Any] = []


def load_object_files(object_files: list[bytes], symbol: str) -> int:
    """Load object files, link them with one another, and return the address of ``symbol``."""
    _initialize_llvm()
    llvm.check_jit_execution()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    for code in object_files:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address: int = engine.get_function_address(symbol)
    if not address:
        raise RuntimeError(f"no function {symbol} in its object file")
    _loaded_engines.append(engine)
    return address


def _initialize_llvm() -> None:
    """Initialize LLVM for this machine; further calls do nothing."""
    with suppress(RuntimeError):  # newer releases initialize themselves and raise here
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@contextmanager
def _pause_garbage_collection() -> Iterator[None]:
    """Pause garbage collection: compiling creates millions of objects that all live until its end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _c_function_type(layouts: ArgumentLayouts) -> Any:
    """Return the ctypes function type for arguments with these layouts."""
    c_types: dict[str, Any] = {"d": c_double, "q": c_int64, "b": c_int64}
    return CFUNCTYPE(c_int64, *[c_types.get(layout, c_char_p) for layout in layouts])


def _kernel_importer(module: str, name: str) -> Callable[[], Any]:
    """Return a function that imports a kernel."""
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
    """Return the layouts of the full pass that a screened pass calls."""
    return (rows, n_rows, n_rows, model, tile, moment_code, is_hard, "d", *other_layouts)


def _fused_em_layouts(state: str, axes: str, objectives: str, *structure_codes: str) -> ArgumentLayouts:
    """Return the layouts of the fused run whose M-steps a first M-step calls."""
    return (state, *structure_codes, "d", "b", "d", "q", "q")


def _fused_em_layouts_of_helper(state: str, is_diagonal: str) -> ArgumentLayouts:
    """Return the layouts of the fused run whose kernels a helper calls."""
    return (state, "q", "q", "q", "d", "b", "d", "q", "q")


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
help_fused_run = CompiledFunction(
    "help_fused_run",
    _kernel_importer("fused.chunks", "help_fused_run"),
    (run_fused_em, _fused_em_layouts_of_helper),
)
run_first_m_step = CompiledFunction(
    "run_first_m_step",
    _kernel_importer("fused.first_m_step", "run_first_m_step"),
    (run_fused_em, _fused_em_layouts),
)
compute_pair_costs = CompiledFunction(
    "compute_pair_costs", _kernel_importer("agglomeration.merge_loop", "compute_pair_costs")
)
merge_groups = CompiledFunction("merge_groups", _kernel_importer("agglomeration.merge_loop", "merge_groups"))
update_pixel_mixtures = CompiledFunction(
    "update_pixel_mixtures", _kernel_importer("background.pixel_update", "update_pixel_mixtures")
)
merge_in_groups = CompiledFunction("merge_in_groups", _kernel_importer("tracking.merging", "merge_in_groups"))
propagate_beliefs = CompiledFunction(
    "propagate_beliefs", _kernel_importer("tracking.belief_propagation", "propagate_beliefs")
)
