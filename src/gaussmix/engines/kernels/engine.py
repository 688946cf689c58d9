"""The fast engine: kernels compiled for the machine they run on, a block of rows at a time.

It equals the reference to 1e-10 and is chosen where the work pays for loading compiled code (see
``engines/choice.py``).
"""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.blas import limit_blas_threads
from gaussmix.core.expectation import Expectation
from gaussmix.core.fused_em import FusedResult, FusedRun
from gaussmix.core.linalg import weighted_outer_sum
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.engines.base import AbstractEngine, AssignmentKind, BestScores
from gaussmix.engines.kernels.argument_tuples import (
    SUM_FIRST_MOMENTS,
    SUM_NOTHING,
    SUM_POOLED_PRODUCTS,
    MomentSums,
    RowArrays,
    ScreeningBounds,
)
from gaussmix.engines.kernels.codegen.compiled_functions import run_full_pass, run_screened_pass
from gaussmix.engines.kernels.codegen.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.engines.kernels.fused_em import run_fused
from gaussmix.engines.kernels.machine_constants import MIN_EXPONENT
from gaussmix.engines.kernels.packing import (
    MOMENT_CODES,
    NO_ROW_RESULTS,
    PackedModel,
    densify_low_rank,
    make_zero_sums,
    pack_model,
    pack_rows,
    unpack_scatter,
)
from gaussmix.engines.kernels.screening import make_screening_bounds, rounding_tolerance
from gaussmix.engines.kernels.tile_workspaces import make_full_tile, make_screened_tile
from gaussmix.types import NK, Array

_MAX_CANCELLATION_ERROR = 1e-11
"""Pooled scatter is taken from the total of all rows where rounding then costs it less than this share."""


@dataclass
class BlockSums:
    """What blocks add up to about the pass' centres: plain addition, in place, since nobody else holds them."""

    packed: PackedArguments
    n_rows: int
    free_sums: list[PackedArguments]

    @property
    def sums(self) -> MomentSums:
        """The arrays that are added up."""
        sums: MomentSums = self.packed.source_values
        return sums

    def __add__(self, other: "BlockSums") -> "BlockSums":
        for ours, theirs in zip(self.sums, other.sums, strict=True):
            np.add(ours, theirs, out=ours)
        self.n_rows += other.n_rows
        self.free_sums.append(other.packed)
        return self


@dataclass(frozen=True)
class PassWorkspace:
    """The arrays of one thread, in words: tiles for full and for screened work."""

    full_tile: PackedArguments
    screened_tile: PackedArguments | None = None
    screening: PackedArguments | None = None


_PACKED_NO_ROW_RESULTS = pack_arguments(NO_ROW_RESULTS)
_PACKED_NO_WEIGHTS_OR_LABELS = pack_arguments((np.empty(0), np.empty(0, dtype=np.int64), np.empty((0, 0))))
"""Weights, labels and log hints of rows that have none."""


_thread_cache = threading.local()
_MAX_CACHED_TILES, _MAX_CACHED_TILE_BYTES = 8, 1 << 22
"""Tiles that a thread keeps, and the bytes of the largest."""


def _cached_full_tile(packed_model: PackedModel, moment_code: int) -> PackedArguments:
    """A thread's tile for full work on models of a shape: to make one takes longer than a pass over few rows."""
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
    words = tiles.get(key)
    if words is None:
        tile = make_full_tile(model, packed_model.n_padded_columns, moment_code)
        words = pack_arguments(tile)
        if sum(part.nbytes for part in tile if isinstance(part, np.ndarray)) <= _MAX_CACHED_TILE_BYTES:
            while len(tiles) >= _MAX_CACHED_TILES:
                del tiles[next(iter(tiles))]
            tiles[key] = words
    return words


@dataclass(frozen=True)
class CompiledPass:
    """Everything that is prepared once for a pass; threads work on tiles of their own."""

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
        with limit_blas_threads(quadratics.n_features):
            packed = pack_model(quadratics, moment_code)
            if not use_screening:
                return cls(packed, moment_code, is_hard)
            return cls(
                packed,
                moment_code,
                is_hard,
                make_screening_bounds(quadratics, is_hard),
                -rounding_tolerance(quadratics.n_components),
            )

    @cached_property
    def _packed_model_arrays(self) -> PackedArguments:
        return pack_arguments(self.packed_model.arrays)

    @cached_property
    def _packed_screening_bounds(self) -> PackedArguments:
        return pack_arguments(cast(ScreeningBounds, self.screening_bounds))

    def accumulate_all_pairs(self, batch: Batch, row_results: PackedArguments = _PACKED_NO_ROW_RESULTS) -> BlockSums:
        """A block in which every pair is computed."""
        sums = self._take_zero_sums()
        self._accumulate_all_pairs_of_range(self._pack_rows(batch), 0, batch.n_rows, sums, row_results)
        return BlockSums(sums, batch.n_rows, self._free_sums)

    def accumulate_screened(self, batch: Batch, row_results: PackedArguments = _PACKED_NO_ROW_RESULTS) -> BlockSums:
        """A block in which the pairs are computed that can matter; all of them from where too many can."""
        if self.screening_bounds is None or batch.label_prior is not None:
            return self.accumulate_all_pairs(batch, row_results)
        rows, sums, work, n_rows = (
            self._pack_rows(batch),
            self._take_zero_sums(),
            self._thread_workspace(),
            batch.n_rows,
        )
        done = run_screened_pass(
            rows,
            n_rows,
            self._packed_model_arrays,
            work.screened_tile,
            self._packed_screening_bounds,
            work.screening,
            self.moment_code,
            self.is_hard,
            sums,
            row_results,
        )
        if done < n_rows:
            self._accumulate_all_pairs_of_range(rows, done, n_rows, sums, row_results)
        return BlockSums(sums, n_rows, self._free_sums)

    def _accumulate_all_pairs_of_range(
        self, rows: PackedArguments, begin: int, end: int, sums: PackedArguments, row_results: PackedArguments
    ) -> None:
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
        """A batch in words; those of its frame, which blocks and passes share, are made once for each thread."""
        rows = pack_rows(batch)
        frame: PackedArguments | None = getattr(_thread_cache, "frame", None)
        if frame is None or frame.source_values[0] is not rows.prescale:
            frame = _thread_cache.frame = pack_arguments((rows.prescale, rows.center, rows.scale))
        known = _PACKED_NO_WEIGHTS_OR_LABELS
        if batch.weights is not None or batch.label_prior is not None:
            known = pack_arguments((rows.weights, rows.labels, rows.log_label_prior))
        return join_packed_arguments(RowArrays, pack_arguments((rows.stored,)), frame, known)

    def _take_zero_sums(self) -> PackedArguments:
        """Sums of nothing, in arrays that have been added already where there are some: fresh memory is slow."""
        try:
            sums = self._free_sums.pop()
        except IndexError:
            return pack_arguments(make_zero_sums(self.packed_model, self.moment_code))
        for part in sums.source_values:
            part.fill(0.0)
        return sums

    def _thread_workspace(self) -> PassWorkspace:
        work: PassWorkspace | None = getattr(self._thread_data, "work", None)
        if work is None:
            work = self._thread_data.work = self._make_workspace()
        return work

    def _make_workspace(self) -> PassWorkspace:
        model, n_columns = self.packed_model.arrays, self.packed_model.n_padded_columns
        full = _cached_full_tile(self.packed_model, self.moment_code)
        if self.screening_bounds is None:
            return PassWorkspace(full)
        tile, sieve = make_screened_tile(model, n_columns, self.moment_code, self.screening_bounds)
        return PassWorkspace(full, pack_arguments(tile), pack_arguments(sieve))


@dataclass
class _LastPass:
    """The last preparation for ranking: blocks of one pass ask for it one after the other."""

    quadratics: Quadratics | None = None
    compiled_pass: CompiledPass | None = None


@dataclass(frozen=True)
class CompiledEngine(AbstractEngine):
    """Compiled passes; with ``screening``, pairs that cannot matter are skipped."""

    use_screening: bool = True
    _last_pass: _LastPass = field(default_factory=_LastPass, compare=False, repr=False)

    def e_step(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        quadratics = densify_low_rank(quadratics)
        added = MOMENT_CODES[moment_kind]
        if (
            added == SUM_POOLED_PRODUCTS
            and total_moments is not None
            and _can_subtract_from_total(quadratics, total_moments)
        ):
            added = SUM_FIRST_MOMENTS
        job = CompiledPass.from_quadratics(quadratics, added, assignment is AssignmentKind.HARD, self.use_screening)
        found = reduce(job.accumulate_screened)
        if self.use_screening and _has_tiny_component(found.sums, quadratics):
            job = CompiledPass.from_quadratics(quadratics, added, assignment is AssignmentKind.HARD)
            found = reduce(job.accumulate_all_pairs)
        return _build_expectation(found, job, quadratics, moment_kind, total_moments)

    def can_run_fused(self, n_rows: int, n_components: int, n_features: int) -> bool:
        return True

    def run_fused(self, fused_run: FusedRun) -> FusedResult | None:
        return run_fused(fused_run)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        shape = (batch.n_rows, quadratics.n_components)
        scores = out if out is not None and out.flags.c_contiguous else np.empty(shape)
        CompiledPass.from_quadratics(densify_low_rank(quadratics), SUM_NOTHING).accumulate_all_pairs(
            batch, pack_arguments(NO_ROW_RESULTS._replace(scores=scores))
        )
        if out is not None and scores is not out:
            out[...] = scores
            return out
        return scores

    def best_scores(self, quadratics: Quadratics, batch: Batch) -> BestScores:
        n = batch.n_rows
        found = NO_ROW_RESULTS._replace(
            labels=np.empty(n, dtype=np.int64), best_scores=np.empty(n), log_densities=np.empty(n)
        )
        recent = self._last_pass
        job = recent.compiled_pass if recent.quadratics is quadratics else None
        if job is None:
            job = CompiledPass.from_quadratics(
                densify_low_rank(quadratics), SUM_NOTHING, use_screening=self.use_screening
            )
            object.__setattr__(self, "_last_pass", _LastPass(quadratics, job))
        job.accumulate_screened(batch, pack_arguments(found))
        return BestScores(found.labels, found.best_scores, found.log_densities)


def _has_tiny_component(sums: MomentSums, quadratics: Quadratics) -> bool:
    """Whether a component has so little mass that the pairs skipped would count: it is computed in full then.

    A skipped pair has less than 2^-53 / K of its row, which is 1e-12 of any larger mass.
    """
    least = float(sums.mass.sum()) * 2.0**-53 / len(sums.mass) / 1e-12
    return bool((np.isfinite(quadratics.offset) & (sums.mass < least)).any())


def _can_subtract_from_total(quadratics: Quadratics, total_moments: Moments) -> bool:
    """Whether pooled scatter may be what the total leaves once the spread of the means is taken away."""
    roots = quadratics.precision_root.to_dense(quadratics.n_components, quadratics.n_features)[0]
    largest_precision = float((roots**2).sum())
    spread = float(np.trace(total_moments.scatter)) / float(total_moments.mass[0])
    return bool(np.finfo(float).eps * spread * largest_precision < _MAX_CANCELLATION_ERROR)


def _build_expectation(
    block_sums: BlockSums,
    compiled_pass: CompiledPass,
    quadratics: Quadratics,
    moment_kind: MomentKind,
    total_moments: Moments | None,
) -> Expectation:
    """Sums about the pass' centres as moments about the new means."""
    n_features = quadratics.n_features
    mass = block_sums.sums.mass
    first = block_sums.sums.first_moments.reshape(len(mass), -1)[:, :n_features]
    totals = block_sums.sums.totals
    if moment_kind is MomentKind.NONE:
        moments = Moments.from_centered_sums(mass, quadratics.center, first, np.zeros((len(mass), 0)), moment_kind)
    elif compiled_pass.moment_code == SUM_FIRST_MOMENTS and total_moments is not None:
        moments = _pooled_moments_from_total(mass, quadratics.center, first, total_moments)
    else:
        scatter = unpack_scatter(
            block_sums.sums.scatter, compiled_pass.packed_model, compiled_pass.moment_code, n_features
        )
        moments = Moments.from_centered_sums(
            mass, quadratics.center, first, _reduce_scatter(scatter, moment_kind), moment_kind
        )
    n_pairs = min(int(totals[2]), block_sums.n_rows * len(mass))  # the places of groups that are not full count too
    return Expectation(moments, float(totals[0]), float(totals[1]), block_sums.n_rows, n_pairs)


def _reduce_scatter(scatter: Array, moment_kind: MomentKind) -> Array:
    """Sums of squares of every component in the shape of a kind."""
    if moment_kind is MomentKind.TRACE:
        return np.asarray(scatter.sum(axis=1))
    if moment_kind is MomentKind.POOLED_DIAGONAL:
        return np.asarray(scatter.sum(axis=0))
    return scatter[0] if moment_kind is MomentKind.POOLED_FULL else scatter


def _pooled_moments_from_total(mass: Array, center: Array, first_moments: Array, total_moments: Moments) -> Moments:
    """Pooled scatter = scatter of all rows less that of the component means."""
    mean = center + first_moments / np.where(mass > 0, mass, 1.0)[:, None]
    between = weighted_outer_sum(mean - total_moments.mean[0], mass)
    return Moments(mass, mean, total_moments.scatter - between, MomentKind.POOLED_FULL)
