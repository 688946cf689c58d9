"""A compiled pass over the rows: its prepared model, the workspaces of threads, and the sums of blocks."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.compiled.packing import (
    NO_ROW_RESULTS,
    PackedModel,
    make_zero_sums,
    pack_model,
    pack_rows,
)
from gaussmix.engines.compiled.screening import make_screening_bounds, rounding_tolerance_in_nats
from gaussmix.engines.compiled.tile_workspaces import make_full_tile, make_screened_tile
from gaussmix.kernels.argument_tuples import (
    MomentSums,
    RowArrays,
    ScreeningBounds,
)
from gaussmix.kernels.compiled_functions import run_full_pass, run_screened_pass
from gaussmix.kernels.machine_constants import MIN_EXPONENT
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments, pack_stored_rows
from gaussmix.types import Array


@dataclass
class BlockSums:
    """Sums of blocks about the centres of the pass. Addition works in place, because nothing else uses the operands."""

    packed: PackedArguments
    n_rows: int
    free_sums: list[PackedArguments] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle_block_sums, (tuple(self.sums), self.n_rows)

    @property
    def sums(self) -> MomentSums:
        """Mass, first moments, scatter and totals as arrays."""
        sums: MomentSums = self.packed.source_values
        return sums

    def __add__(self, other: "BlockSums") -> "BlockSums":
        """Add the other sums to these in place, keep the other's arrays for reuse, and return these sums."""
        for ours, theirs in zip(self.sums, other.sums, strict=True):
            np.add(ours, theirs, out=ours)
        self.n_rows += other.n_rows
        self.free_sums.append(other.packed)
        return self


def _unpickle_block_sums(arrays: tuple[Array, ...], n_rows: int) -> BlockSums:
    """Return sums that arrive from another process, packed for this one."""
    return BlockSums(pack_arguments(MomentSums(*arrays)), n_rows)


@dataclass(frozen=True)
class PassWorkspace:
    """The packed workspaces of one thread, for full and for screened tiles."""

    full_tile: PackedArguments
    screened_tile: PackedArguments | None = None
    screening: PackedArguments | None = None


_PACKED_NO_ROW_RESULTS = pack_arguments(NO_ROW_RESULTS)

_PACKED_NO_WEIGHTS_OR_LABELS = pack_arguments((np.empty(0), np.empty(0, dtype=np.int64), np.empty((0, 0))))


_thread_cache = threading.local()


def pack_batch(batch: Batch, n_components: int) -> PackedArguments:
    """Return the arrays of a batch as compiled functions take them; those of a batch without labels only once."""
    packed_rows: PackedArguments | None = batch.__dict__.get("_packed_rows")
    if packed_rows is None:
        packed_rows = _pack_batch_anew(batch, n_components)
        if batch.label_prior is None:
            batch.__dict__["_packed_rows"] = packed_rows
    return packed_rows


def _pack_batch_anew(batch: Batch, n_components: int) -> PackedArguments:
    """Return the packed arrays of a batch; each thread packs a frame only once."""
    rows = pack_rows(batch, n_components)
    frame: PackedArguments | None = getattr(_thread_cache, "frame", None)
    if frame is None or frame.source_values[0] is not rows.prescale:
        frame = _thread_cache.frame = pack_arguments((rows.prescale, rows.center, rows.scale))
    weights_and_labels = _PACKED_NO_WEIGHTS_OR_LABELS
    if batch.weights is not None or batch.label_prior is not None:
        weights_and_labels = pack_arguments((rows.weights, rows.labels, rows.log_label_prior))
    return join_packed_arguments(RowArrays, pack_stored_rows(rows.stored), frame, weights_and_labels)


# Tiles, and as many sums, that a thread keeps, and the largest size of each in bytes.
_MAX_CACHED_TILES, _MAX_CACHED_TILE_BYTES, _MAX_CACHED_SUMS_BYTES = 8, 1 << 22, 1 << 17


def _get_cached_sums() -> dict[tuple[int, ...], PackedArguments]:
    """Return this thread's cache of sums that passes have released."""
    cache: dict[tuple[int, ...], PackedArguments] = _thread_cache.__dict__.setdefault("sums", {})
    return cache


def _cached_full_tile(packed_model: PackedModel, moment_code: int) -> PackedArguments:
    """Return this thread's full tile for models of this shape, from a cache; allocation takes longer than a pass."""
    model = packed_model.arrays
    tiles: dict[Any, PackedArguments] = _thread_cache.__dict__.setdefault("tiles", {})
    # Columns beyond the rows' are zero from the beginning, and stay so only for rows of as many columns.
    key = (
        model.center.shape,
        packed_model.n_features,
        packed_model.n_padded_columns,
        len(model.whitening),
        moment_code,
    )
    packed_tile = tiles.get(key)
    if packed_tile is None:
        tile = make_full_tile(model, packed_model.n_padded_columns, moment_code)
        packed_tile = pack_arguments(tile)
        if sum(array.nbytes for array in tile if isinstance(array, np.ndarray)) <= _MAX_CACHED_TILE_BYTES:
            while len(tiles) >= _MAX_CACHED_TILES:
                del tiles[next(iter(tiles))]
            tiles[key] = packed_tile
    return packed_tile


@dataclass(frozen=True)
class CompiledPass:
    """A model prepared for one pass over the rows; each thread uses workspaces of its own."""

    packed_model: PackedModel
    moment_code: int
    is_hard: bool
    screening_bounds: ScreeningBounds | None = None
    log_cutoff: float = MIN_EXPONENT
    _thread_data: Any = field(default_factory=threading.local)
    _free_sums: list[PackedArguments] = field(default_factory=list)

    @classmethod
    def from_quadratics(
        cls, quadratics: Quadratics, moment_code: int, is_hard: bool = False, use_screening: bool = False
    ) -> "CompiledPass":
        """Return a pass that accumulates the sums of ``moment_code``, with screening bounds if ``use_screening``."""
        with limit_blas_threads(quadratics.n_features):
            packed_model = pack_model(quadratics, moment_code)
            if not use_screening:
                return cls(packed_model, moment_code, is_hard)
            return cls(
                packed_model,
                moment_code,
                is_hard,
                make_screening_bounds(quadratics, is_hard),
                -rounding_tolerance_in_nats(quadratics.n_components),
            )

    @cached_property
    def _packed_model_arrays(self) -> PackedArguments:
        """Arrays of the model, as compiled functions take them."""
        return pack_arguments(self.packed_model.arrays)

    @cached_property
    def _packed_screening_bounds(self) -> PackedArguments:
        """Arrays of the screening bounds, as compiled functions take them."""
        return pack_arguments(cast(ScreeningBounds, self.screening_bounds))

    def accumulate(self, batch: Batch, row_results: PackedArguments = _PACKED_NO_ROW_RESULTS) -> BlockSums:
        """Return the sums of a block over pairs of row and component that can matter; fill ``row_results`` in place."""
        rows, sums, n_rows, n_screened = self._pack_rows(batch), self._reuse_or_make_zero_sums(), batch.n_rows, 0
        if self.screening_bounds is not None and batch.label_prior is None:
            n_screened = self._add_screened_pairs_in_place(rows, n_rows, sums, row_results)
        if n_screened < n_rows:
            self._add_all_pairs_of_range_in_place(rows, n_screened, n_rows, sums, row_results)
        return BlockSums(sums, n_rows, self._free_sums)

    def write_row_results(self, batch: Batch, row_results: PackedArguments) -> None:
        """Fill ``row_results`` in place, over pairs that can matter if there are screening bounds."""
        self._free_sums.append(self.accumulate(batch, row_results).packed)

    def _add_screened_pairs_in_place(
        self, rows: PackedArguments, n_rows: int, sums: PackedArguments, row_results: PackedArguments
    ) -> int:
        """Add pairs that can matter to ``sums`` in place; return the number of rows before those with many pairs."""
        workspace = self._thread_workspace()
        n_screened: int = run_screened_pass(
            rows,
            n_rows,
            self._packed_model_arrays,
            workspace.screened_tile,
            self._packed_screening_bounds,
            workspace.screening,
            self.moment_code,
            self.is_hard,
            sums,
            row_results,
        )
        return n_screened

    def _add_all_pairs_of_range_in_place(
        self, rows: PackedArguments, begin: int, end: int, sums: PackedArguments, row_results: PackedArguments
    ) -> None:
        """Add every pair of the rows ``begin`` to ``end`` to ``sums`` in place; fill ``row_results`` in place."""
        tile = self._thread_workspace().full_tile
        run_full_pass(
            rows,
            begin,
            end,
            self._packed_model_arrays,
            tile,
            self.moment_code,
            self.is_hard,
            self.log_cutoff,
            sums,
            row_results,
        )

    def _pack_rows(self, batch: Batch) -> PackedArguments:
        """Return the arrays of a batch as compiled functions take them."""
        return pack_batch(batch, len(self.packed_model.arrays.center))

    def _reuse_or_make_zero_sums(self) -> PackedArguments:
        """Return sums of zero, in arrays that earlier blocks have released if there are any: fresh memory is slow."""
        try:
            sums = self._free_sums.pop()
        except IndexError:
            cached_sums = _get_cached_sums().pop(self._sums_key, None)
            if cached_sums is None:
                return pack_arguments(make_zero_sums(self.packed_model, self.moment_code))
            sums = cached_sums
        for array in sums.source_values:
            array.fill(0.0)
        return sums

    def release_sums(self, sums: PackedArguments) -> None:
        """Keep the arrays of sums that nobody reads any more, for the next pass of this thread over such a model."""
        cache = _get_cached_sums()
        if sums.source_values.scatter.nbytes <= _MAX_CACHED_SUMS_BYTES:
            while len(cache) >= _MAX_CACHED_TILES:
                del cache[next(iter(cache))]
            cache[self._sums_key] = sums

    @property
    def _sums_key(self) -> tuple[int, ...]:
        """What the sizes of the sums depend on."""
        return *self.packed_model.arrays.row_center.shape, self.moment_code

    def _thread_workspace(self) -> PassWorkspace:
        """Return this thread's workspace, allocated at the first call."""
        workspace: PassWorkspace | None = getattr(self._thread_data, "work", None)
        if workspace is None:
            workspace = self._thread_data.work = self._make_workspace()
        return workspace

    def _make_workspace(self) -> PassWorkspace:
        """Return a new workspace for one thread."""
        model, n_columns = self.packed_model.arrays, self.packed_model.n_padded_columns
        full_tile = _cached_full_tile(self.packed_model, self.moment_code)
        if self.screening_bounds is None:
            return PassWorkspace(full_tile)
        tile, screening = make_screened_tile(model, n_columns, self.moment_code, self.screening_bounds)
        return PassWorkspace(full_tile, pack_arguments(tile), pack_arguments(screening))
