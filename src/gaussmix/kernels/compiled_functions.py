"""Compiled functions that Python calls: each version of a function is a C function of the shared library.

A function has one version for each combination of argument types that its annotations allow (`field_types`).
"""

from collections.abc import Callable
from ctypes import CFUNCTYPE, c_char_p, c_double, c_int64
from functools import cached_property
from typing import Any

import numpy as np

from gaussmix.kernels.argument_tuples import (
    AgglomerationState,
    AssignmentWorkspace,
    FusedState,
    KMeansState,
    MergeBuffers,
    ModelArrays,
    MomentSums,
    NearComponents,
    OpenPairs,
    PatternModel,
    PatternRows,
    PatternSums,
    PatternWorkspace,
    PixelMixtureState,
    RowArrays,
    RowResults,
    ScreeningBounds,
    ScreeningWorkspace,
    TileWorkspace,
)
from gaussmix.kernels.field_types import (
    Booleans1,
    Bytes2,
    Doubles1,
    Doubles2,
    Doubles3,
    Frame,
    Integers1,
    iterate_layouts,
)
from gaussmix.kernels.library import load_library
from gaussmix.kernels.packed_arguments import PackedArguments, number_type_code, pack_arguments

_C_TYPES: dict[str, Any] = {"d": c_double, "q": c_int64, "b": c_int64}


class CompiledFunction:
    """A compiled function of argument tuples, arrays and numbers that returns an integer (0 without a result).

    Calls release the interpreter's lock.

    Parameters
    ----------
    name : str
        The name of the function, also that of its kernel.
    module : str
        The module of the kernel, below ``gaussmix.kernels``.
    *annotations : type
        The types of the arguments: argument tuples, annotations of `field_types`, int, float and bool.
    """

    def __init__(self, name: str, module: str, *annotations: Any) -> None:
        self.name, self.module, self._annotations = name, module, annotations
        self._functions: dict[tuple[str | type, ...], Callable[..., int]] = {}

    @cached_property
    def layouts(self) -> list[tuple[str, ...]]:
        """The layouts of the arguments of each version, in the order of the versions' numbers."""
        return list(iterate_layouts(self._annotations))

    def __call__(self, *arguments: Any) -> int:
        # Small blocks cause thousands of calls, so a single lookup finds the function.
        """Call the version for the types of the arguments."""
        function = self._functions.get(
            tuple([value.layout if type(value) is PackedArguments else type(value) for value in arguments])
        )
        if function is None:
            return self._resolve_and_call(arguments)
        return function(*[value.packed_bytes if type(value) is PackedArguments else value for value in arguments])

    def _resolve_and_call(self, arguments: tuple[Any, ...]) -> int:
        """Call the function with argument types not seen before, or with arrays."""
        packed = [pack_arguments((value,)) if isinstance(value, np.ndarray) else value for value in arguments]
        layouts = tuple(
            [value.layout if type(value) is PackedArguments else number_type_code(value) for value in packed]
        )
        function = self._functions.get(layouts)
        if function is None:
            function = self._functions[layouts] = self._load_version(layouts)
        if not any(isinstance(value, np.ndarray) for value in arguments):
            call_types = [value.layout if type(value) is PackedArguments else type(value) for value in arguments]
            self._functions[tuple(call_types)] = function
        return function(*[value.packed_bytes if type(value) is PackedArguments else value for value in packed])

    def _load_version(self, layouts: tuple[str, ...]) -> Callable[..., int]:
        """Return the C function for these layouts; raise TypeError if there is no such version."""
        if layouts not in self.layouts:
            raise TypeError(f"compiled code has no {self.name} for {layouts}, only for {self.layouts}")
        c_function = CFUNCTYPE(c_int64, *[_C_TYPES.get(layout, c_char_p) for layout in layouts])
        return c_function(load_library().address_of(self.name, self.layouts.index(layouts)))


run_full_pass = CompiledFunction(
    "run_full_pass", "passes.full_pass",
    RowArrays, int, int, ModelArrays, TileWorkspace, int, bool, float, MomentSums, RowResults,
)  # fmt: skip
run_screened_pass = CompiledFunction(
    "run_screened_pass", "passes.screened_pass",
    RowArrays, int, ModelArrays, TileWorkspace, ScreeningBounds, ScreeningWorkspace, int, bool, MomentSums, RowResults,
)  # fmt: skip
hash_cells = CompiledFunction("hash_cells", "passes.cell_hashing", Doubles2, Doubles1, Doubles1, Integers1, Integers1)
list_open_pairs = CompiledFunction("list_open_pairs", "passes.candidate_lists", NearComponents, OpenPairs, int, int)
fill_candidate_lists = CompiledFunction(
    "fill_candidate_lists", "passes.candidate_lists",
    OpenPairs, int, Doubles2, Doubles1, Integers1, Integers1, Integers1, Doubles1, Doubles1, Doubles1,
)  # fmt: skip
run_fused_em = CompiledFunction(
    "run_fused_em", "fused.em_loop", FusedState, int, int, int, float, bool, float, int, int
)
help_fused_run = CompiledFunction("help_fused_run", "fused.chunks", FusedState, bool)
run_first_m_step = CompiledFunction(
    "run_first_m_step", "fused.first_m_step", FusedState, Doubles3, Doubles1, int, int, int
)
compute_pair_costs = CompiledFunction(
    "compute_pair_costs", "agglomeration.merge_loop", AgglomerationState, Integers1, Integers1, Doubles1
)
merge_groups = CompiledFunction("merge_groups", "agglomeration.merge_loop", AgglomerationState, MergeBuffers)
arrange_rows_in_groups = CompiledFunction("arrange_rows_in_groups", "kmeans.distances", Doubles2, Doubles3)
draw_kmeans_seeds = CompiledFunction("draw_kmeans_seeds", "kmeans.seeding", KMeansState, Doubles1, Doubles1, Integers1)
run_lloyd = CompiledFunction("run_lloyd", "kmeans.lloyd", KMeansState, Doubles1, float, float, float, bool, bool, int)
assign_rows_to_centers = CompiledFunction(
    "assign_rows_to_centers", "kmeans.assignment", RowArrays, AssignmentWorkspace, Integers1, Doubles1
)
measure_distances_to_centers = CompiledFunction(
    "measure_distances_to_centers", "kmeans.assignment", RowArrays, AssignmentWorkspace, Doubles2
)
update_pixel_mixtures = CompiledFunction(
    "update_pixel_mixtures", "background.pixel_update", PixelMixtureState, Frame, Bytes2, int, int
)
merge_in_groups = CompiledFunction(
    "merge_in_groups", "tracking.merging",
    Doubles1, Doubles2, Doubles3, Integers1, float, int, Doubles3, Doubles1, Booleans1, Integers1,
)  # fmt: skip
propagate_beliefs = CompiledFunction(
    "propagate_beliefs", "tracking.belief_propagation",
    Integers1, Integers1, Doubles1, Doubles1, Doubles1, Doubles1, Doubles1, Doubles1, Integers1, float, int,
)  # fmt: skip
run_pattern_pass = CompiledFunction(
    "run_pattern_pass",
    "missing_cells.pattern_pass",
    PatternRows,
    PatternModel,
    PatternWorkspace,
    PatternSums,
    bool,
    bool,
)
write_pattern_scores = CompiledFunction(
    "write_pattern_scores", "missing_cells.pattern_pass", PatternRows, PatternModel, PatternWorkspace, Doubles2
)

COMPILED_FUNCTIONS = tuple(value for value in list(globals().values()) if isinstance(value, CompiledFunction))
