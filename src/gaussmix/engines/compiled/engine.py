"""The compiled engine: kernels compiled for this machine process blocks of rows.

Its results equal the reference engine's to 1e-10. `automatic` chooses it for large data.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.linalg import weighted_outer_sum
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.statistics import Statistics
from gaussmix.engines.agglomerator import SupportsAgglomeration
from gaussmix.engines.base import AbstractEStep, AssignmentKind, BatchEngine
from gaussmix.engines.compiled.agglomerator import CompiledAgglomerator
from gaussmix.engines.compiled.compiled_pass import BlockSums, CompiledPass
from gaussmix.engines.compiled.fused_em import CompiledFusedRunner
from gaussmix.engines.compiled.kmeans_runner import CompiledKMeansRunner
from gaussmix.engines.compiled.packing import (
    MOMENT_CODES,
    NO_ROW_RESULTS,
    densify_low_rank_root,
    unpack_scatter_in_place,
)
from gaussmix.engines.compiled.pattern_runner import CompiledPatternRunner
from gaussmix.engines.compiled.pixel_updater import CompiledPixelUpdater
from gaussmix.engines.fused_runner import SupportsFusedRuns
from gaussmix.engines.kmeans_runner import SupportsKMeansRuns
from gaussmix.engines.pattern_runner import SupportsPatternPasses
from gaussmix.engines.pixel_updater import SupportsPixelUpdates
from gaussmix.engines.score_tiles import BestScores, Responsibilities
from gaussmix.errors import CapabilityError
from gaussmix.kernels.argument_tuples import (
    SUM_FIRST_MOMENTS,
    SUM_NOTHING,
    SUM_POOLED_PRODUCTS,
    MomentSums,
)
from gaussmix.kernels.packed_arguments import pack_arguments
from gaussmix.types import NK, Array

# Pooled scatter is taken from the total of all rows if rounding then costs less than this fraction.
_MAX_CANCELLATION_ERROR = 1e-11

# Rows of a screened batch for each component.
_ROWS_PER_COMPONENT = 8


# What a prepared pass computes: only the best component of each row or densities too, and whether it skips pairs.
_PassKind = tuple[bool, bool]
_PreparedPasses = WeakKeyDictionary[Quadratics, dict[_PassKind, CompiledPass]]


@dataclass(frozen=True)
class CompiledEStep(AbstractEStep[BlockSums]):
    """One compiled E-step; ``use_screening`` skips pairs of row and component that cannot matter."""

    quadratics: Quadratics
    moment_kind: MomentKind
    assignment: AssignmentKind
    total_moments: Moments | None
    use_screening: bool

    def __post_init__(self) -> None:
        self._prepare_compiled_pass()

    def _prepare_compiled_pass(self) -> None:
        """Set ``_compiled_pass``, the pass prepared for this process."""
        code = MOMENT_CODES[self.moment_kind]
        total = self.total_moments
        if code == SUM_POOLED_PRODUCTS and total is not None and _can_subtract_from_total(self.quadratics, total):
            code = SUM_FIRST_MOMENTS
        is_hard = self.assignment is AssignmentKind.HARD
        compiled_pass = CompiledPass.from_quadratics(self.quadratics, code, is_hard, self.use_screening)
        object.__setattr__(self, "_compiled_pass", compiled_pass)

    # Pointers and the workspaces of threads stay at home: a task that arrives in another process prepares its own.
    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the prepared pass, whose pointers hold in this process only."""
        return {name: value for name, value in self.__dict__.items() if name != "_compiled_pass"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state and prepare the pass for this process."""
        self.__dict__.update(state)
        self._prepare_compiled_pass()

    def __call__(self, batch: Batch) -> BlockSums:
        """Return the sums of a batch about the centres of the pass."""
        compiled_pass: CompiledPass = self.__dict__["_compiled_pass"]
        return compiled_pass.accumulate(batch)

    @property
    def n_preferred_rows(self) -> int:
        """Rows of a batch in which most groups of a component's rows are full, if pairs are screened."""
        compiled_pass: CompiledPass = self.__dict__["_compiled_pass"]
        return 0 if compiled_pass.screening_bounds is None else _ROWS_PER_COMPONENT * self.quadratics.n_components

    def finish(self, total: BlockSums) -> "Expectation | CompiledEStep":
        """Return the expectation, or the E-step without screening if a component has almost no mass."""
        if self.use_screening and _has_tiny_component(total.sums, self.quadratics):
            return replace(self, use_screening=False)
        compiled_pass: CompiledPass = self.__dict__["_compiled_pass"]
        expectation = _build_expectation(total, compiled_pass, self.quadratics, self.moment_kind, self.total_moments)
        compiled_pass.release_sums(total.packed)
        return expectation


@dataclass(frozen=True)
class CompiledEngine(
    BatchEngine,
    SupportsFusedRuns,
    SupportsAgglomeration,
    SupportsKMeansRuns,
    SupportsPatternPasses,
    SupportsPixelUpdates,
):
    """An engine of compiled kernels.

    Parameters
    ----------
    use_screening : bool, default True
        Whether to skip pairs of row and component that cannot matter.
    """

    use_screening: bool = True
    _prepared_passes: _PreparedPasses = field(default_factory=WeakKeyDictionary, compare=False, repr=False)
    name: ClassVar[str] = "compiled"

    def __getstate__(self) -> dict[str, Any]:
        return {"use_screening": self.use_screening}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _prepared_passes=WeakKeyDictionary())

    def select_engine(self, quadratics: Quadratics) -> "CompiledEngine":
        """Return this engine; raise CapabilityError for models with categorical columns."""
        if quadratics.tables:
            raise CapabilityError.no_categorical_columns(self.name)
        return self

    def make_e_step(
        self,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> CompiledEStep:
        """Return the task of one compiled E-step."""
        dense = densify_low_rank_root(quadratics)
        return CompiledEStep(dense, moment_kind, assignment, total_moments, self.use_screening)

    @property
    def fused_runner(self) -> CompiledFusedRunner:
        """The runner of whole EM runs in compiled code."""
        return CompiledFusedRunner()

    @property
    def agglomerator(self) -> CompiledAgglomerator:
        """The agglomerator that makes all merges in compiled code."""
        return CompiledAgglomerator()

    @property
    def kmeans_runner(self) -> CompiledKMeansRunner:
        """The runner of k-means in compiled code."""
        return CompiledKMeansRunner()

    @property
    def pattern_runner(self) -> CompiledPatternRunner:
        """The runner of passes over rows that lack cells in compiled code."""
        return CompiledPatternRunner()

    @property
    def pixel_updater(self) -> CompiledPixelUpdater:
        """The object that updates the mixtures of pixels in compiled code."""
        return CompiledPixelUpdater()

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        """Return the scores (n, K) of a batch, in ``out`` if given."""
        scores = _get_writable_array((batch.n_rows, quadratics.n_components), out)
        results = pack_arguments(NO_ROW_RESULTS._replace(scores=scores))
        self._prepare_pass(quadratics, (False, False)).write_row_results(batch, results)
        return _copy_to_out(scores, out)

    def compute_responsibilities(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> Responsibilities:
        """Return best scores and responsibilities (n, K) of a batch, the latter in ``out`` if given."""
        values, best_scores = _get_writable_array((batch.n_rows, quadratics.n_components), out), np.empty(batch.n_rows)
        results = pack_arguments(NO_ROW_RESULTS._replace(best_scores=best_scores, responsibilities=values))
        self._prepare_pass(quadratics, (False, False)).write_row_results(batch, results)
        return Responsibilities(best_scores, _copy_to_out(values, out))

    def best_scores(self, quadratics: Quadratics, batch: Batch, needs_log_densities: bool = True) -> BestScores:
        """Return the best component, its score and the log density of each row."""
        n = batch.n_rows
        labels, best_scores, log_densities = np.empty(n, np.int64), np.empty(n), np.empty(n * needs_log_densities)
        results = NO_ROW_RESULTS._replace(labels=labels, best_scores=best_scores, log_densities=log_densities)
        compiled_pass = self._prepare_pass(quadratics, (not needs_log_densities, self.use_screening))
        compiled_pass.write_row_results(batch, pack_arguments(results))
        return BestScores(labels, best_scores, log_densities)

    def _prepare_pass(self, quadratics: Quadratics, kind: _PassKind) -> CompiledPass:
        """Return a pass that writes results per row; it is prepared once for quadratics, and kept as long as they."""
        passes = self._prepared_passes.get(quadratics)
        if passes is None:
            passes = self._prepared_passes[quadratics] = {}
        compiled_pass = passes.get(kind)
        if compiled_pass is None:
            dense = densify_low_rank_root(quadratics)
            compiled_pass = passes[kind] = CompiledPass.from_quadratics(dense, SUM_NOTHING, *kind)
        return compiled_pass


def _get_writable_array(shape: tuple[int, int], out: NK | None) -> NK:
    """Return ``out`` if kernels, which write without bounds, can write to it; else a new array."""
    is_writable = out is not None and out.flags.c_contiguous and out.shape == shape and out.dtype == np.float64
    return out if out is not None and is_writable else np.empty(shape)


def _copy_to_out(values: NK, out: NK | None) -> NK:
    """Return the values in ``out`` if it is given."""
    if out is None or values is out:
        return values
    out[...] = values
    return out


def _has_tiny_component(sums: MomentSums, quadratics: Quadratics) -> bool:
    """Return whether a component has so little mass that skipped pairs would matter.

    A skipped pair has less than 2^-53 / K of its row's weight, which is below 1e-12 of any larger mass.
    """
    min_mass = float(sums.mass.sum()) * 2.0**-53 / len(sums.mass) / 1e-12
    return bool((np.isfinite(quadratics.offset) & (sums.mass < min_mass)).any())


def _can_subtract_from_total(quadratics: Quadratics, total_moments: Moments) -> bool:
    """Return whether rounding permits pooled scatter as total scatter minus scatter of the component means."""
    roots = quadratics.precision_root.to_dense(quadratics.n_components, quadratics.n_features)[0]
    largest_precision = float((roots**2).sum())
    total_variance = float(np.trace(total_moments.scatter)) / float(total_moments.mass[0])
    return bool(np.finfo(float).eps * total_variance * largest_precision < _MAX_CANCELLATION_ERROR)


def _build_expectation(
    block_sums: BlockSums,
    compiled_pass: CompiledPass,
    quadratics: Quadratics,
    moment_kind: MomentKind,
    total_moments: Moments | None,
) -> Expectation:
    """Return the expectation: sums about the centres of the pass become moments about the new means."""
    n_features = quadratics.n_features
    mass = block_sums.sums.mass.copy()  # the next pass reuses the arrays of the sums
    first_moments = block_sums.sums.first_moments.reshape(len(mass), -1)[:, :n_features]
    totals = block_sums.sums.totals
    if moment_kind is MomentKind.NONE:
        moments = Moments.from_centered_sums(
            mass, quadratics.center, first_moments, np.zeros((len(mass), 0)), moment_kind
        )
    elif compiled_pass.moment_code == SUM_FIRST_MOMENTS and total_moments is not None:
        moments = _pooled_moments_from_total(mass, quadratics.center, first_moments, total_moments)
    else:
        scatter = unpack_scatter_in_place(
            block_sums.sums.scatter, compiled_pass.packed_model, compiled_pass.moment_code, n_features
        )
        moments = Moments.from_centered_sums(
            mass, quadratics.center, first_moments, _reduce_scatter_to_kind(scatter, moment_kind), moment_kind
        )
    n_pairs = min(int(totals[2]), block_sums.n_rows * len(mass))  # the places of groups that are not full count too
    log_likelihood, entropy, _, total_log_max = totals.tolist()
    return Expectation(Statistics(moments), log_likelihood, entropy, total_log_max, block_sums.n_rows, n_pairs)


def _reduce_scatter_to_kind(scatter: Array, moment_kind: MomentKind) -> Array:
    """Return scatter in the shape of a moment kind, from sums of squares (K, D) or of products (K or 1, D, D)."""
    if moment_kind is MomentKind.TRACE:
        return np.asarray(scatter.sum(axis=1))
    if moment_kind is MomentKind.POOLED_DIAGONAL:
        return np.asarray(scatter.sum(axis=0))
    return scatter[0] if moment_kind is MomentKind.POOLED_FULL else scatter


def _pooled_moments_from_total(mass: Array, center: Array, first_moments: Array, total_moments: Moments) -> Moments:
    """Return moments whose pooled scatter is the total scatter minus that of the component means."""
    mean = center + first_moments / np.where(mass > 0, mass, 1.0)[:, None]
    between = weighted_outer_sum(mean - total_moments.mean[0], mass)
    return Moments(mass, mean, total_moments.scatter - between, MomentKind.POOLED_FULL)
