"""Choose the engine: compiled code, or NumPy where there is none, and for models that compiled code does not support.

The choice depends on the model and on counts only, not on clocks. So the same call always gives the same bits.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from gaussmix.core.batch import Batch
from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult
from gaussmix.core.group_costs import GroupCost, GroupMoments
from gaussmix.core.kmeans_run import LloydRunInput, LloydRunResult, NearestCenters
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.pattern_pass import CenteredSums, PatternedRows
from gaussmix.core.pixel_mixtures import PixelMixtures, PixelRules
from gaussmix.core.precision_roots import DensePrecisionRoot, LowRankPrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.agglomerator import AbstractAgglomerator, SupportsAgglomeration
from gaussmix.engines.base import (
    AbstractEStep,
    AssignmentKind,
    BatchEngine,
)
from gaussmix.engines.fused_runner import AbstractFusedRunner, SupportsFusedRuns
from gaussmix.engines.kmeans_runner import AbstractKMeansRunner, SupportsKMeansRuns
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.engines.pattern_runner import AbstractPatternRunner, SupportsPatternPasses
from gaussmix.engines.pixel_updater import AbstractPixelUpdater
from gaussmix.engines.score_tiles import BestScores, Responsibilities
from gaussmix.errors import CompiledCodeWarning
from gaussmix.types import KD, ND, NK, AnyArray, Array, IntK, IntNC, K, N

if TYPE_CHECKING:
    from gaussmix.engines.compiled import CompiledEngine

T = TypeVar("T")

# Features up to which compiled kernels, which write a low-rank root as a dense matrix, are faster than NumPy.
MAX_FEATURES_FOR_DENSE_LOW_RANK = 128


@dataclass(frozen=True)
class AutomaticEngine(BatchEngine, SupportsFusedRuns, SupportsAgglomeration, SupportsKMeansRuns, SupportsPatternPasses):
    """Compiled kernels, or NumPy for models that they do not support and where it is faster.

    All blocks and batches of the same rows are computed by one engine, whatever their size.

    Parameters
    ----------
    n_rows : int
        Number of rows of the data.
    """

    n_rows: int
    name: ClassVar[str] = "auto"

    def make_e_step(
        self,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> AbstractEStep[Any]:
        """Return the task of one E-step by the selected engine."""
        return self.select_engine(quadratics).make_e_step(quadratics, moment_kind, assignment, total_moments)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        """Return the scores (n, K) by the selected engine."""
        return self.select_engine(quadratics).compute_scores(quadratics, batch, out)

    def compute_responsibilities(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> Responsibilities:
        """Return best scores and responsibilities (n, K) by the selected engine."""
        return self.select_engine(quadratics).compute_responsibilities(quadratics, batch, out)

    def best_scores(self, quadratics: Quadratics, batch: Batch, needs_log_densities: bool = True) -> BestScores:
        """Return best component, its score and log density of each row, by the selected engine."""
        return self.select_engine(quadratics).best_scores(quadratics, batch, needs_log_densities)

    @property
    def fused_runner(self) -> "AutomaticFusedRunner":
        """The runner that uses compiled code where that is fastest."""
        return AutomaticFusedRunner()

    @property
    def agglomerator(self) -> "AutomaticAgglomerator":
        """The agglomerator in compiled code, unless it is unavailable."""
        return AutomaticAgglomerator()

    @property
    def kmeans_runner(self) -> "AutomaticKMeansRunner":
        """The runner of k-means in compiled code, unless it is unavailable."""
        return AutomaticKMeansRunner()

    @property
    def pattern_runner(self) -> "AutomaticPatternRunner":
        """The runner of passes over rows that lack cells in compiled code, unless it is unavailable."""
        return AutomaticPatternRunner()

    def select_engine(self, quadratics: Quadratics) -> BatchEngine:
        """Return the engine for these quadratics: compiled, or NumPy where it is faster or the only one."""
        root, n_features = quadratics.precision_root, quadratics.n_features
        is_wide_low_rank = isinstance(root, LowRankPrecisionRoot) and n_features > MAX_FEATURES_FOR_DENSE_LOW_RANK
        # Compiled passes need triangular roots. To make them of others costs more than a pass over so few rows.
        needs_factorization = (
            self.n_rows < n_features and isinstance(root, DensePrecisionRoot) and not root.is_upper_triangular
        )
        if is_wide_low_rank or needs_factorization or quadratics.tables:
            return NUMPY_ENGINE
        return compiled_or_numpy_engine()


@dataclass(frozen=True)
class AutomaticFusedRunner(AbstractFusedRunner):
    """Runs EM in compiled code where that is fastest."""

    def run(self, run_input: FusedRunInput) -> FusedRunResult | None:
        """Run EM in compiled code; return the last parameters, or None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.fused_runner.run(run_input))

    def fit_first_covariances(self, m_step_input: FirstMStepInput) -> FusedCovariances | None:
        """Make an M-step in compiled code; return None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.fused_runner.fit_first_covariances(m_step_input))


@dataclass(frozen=True)
class AutomaticAgglomerator(AbstractAgglomerator):
    """Merges groups in compiled code."""

    def compute_pair_costs(self, groups: GroupMoments, cost: GroupCost, first: IntK, second: IntK) -> K | None:
        """Return the costs of pairs of groups, or None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.agglomerator.compute_pair_costs(groups, cost, first, second))

    def merge_groups(self, groups: GroupMoments, cost: GroupCost) -> IntNC | None:
        """Return the merges of all groups, or None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.agglomerator.merge_groups(groups, cost))


@dataclass(frozen=True)
class AutomaticKMeansRunner(AbstractKMeansRunner):
    """Runs k-means in compiled code."""

    def draw_seeds(self, rows: ND, row_weights: N, uniforms: Array, n_trials: int) -> IntK | None:
        """Return the positions of seeds; None if distances overflow or, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.kmeans_runner.draw_seeds(rows, row_weights, uniforms, n_trials))

    def run_lloyd(self, run_input: LloydRunInput) -> LloydRunResult | None:
        """Return the last centers, or None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.kmeans_runner.run_lloyd(run_input))

    def find_nearest_centers(self, batch: Batch, centers: KD, out: NearestCenters) -> bool:
        """Write the nearest centers of the rows of a batch; return False, after a warning, without compiled code."""
        return bool(_call_compiled(lambda engine: engine.kmeans_runner.find_nearest_centers(batch, centers, out)))

    def measure_distances(self, batch: Batch, centers: KD, out: NK) -> bool:
        """Write the distances of the rows of a batch; return False, after a warning, without compiled code."""
        return bool(_call_compiled(lambda engine: engine.kmeans_runner.measure_distances(batch, centers, out)))


@dataclass(frozen=True)
class AutomaticPatternRunner(AbstractPatternRunner):
    """Passes over rows that lack cells in compiled code."""

    def sum_rows(
        self, rows: PatternedRows, quadratics: Quadratics, is_hard: bool, adds_products: bool
    ) -> CenteredSums | None:
        """Return the sums of all rows, or None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.pattern_runner.sum_rows(rows, quadratics, is_hard, adds_products))

    def compute_scores(self, rows: PatternedRows, quadratics: Quadratics) -> NK | None:
        """Return the scores (n, K) of all rows, or None, after a warning, without compiled code."""
        return _call_compiled(lambda engine: engine.pattern_runner.compute_scores(rows, quadratics))


@dataclass(frozen=True)
class AutomaticPixelUpdater(AbstractPixelUpdater):
    """Updates the mixtures of pixels in compiled code; NumPy gives the same bits."""

    def update(self, mixtures: PixelMixtures, frame: AnyArray, rules: PixelRules, mask: AnyArray) -> int | None:
        """Return the number of foreground pixels; None, after a warning, if there is no compiled code."""
        return _call_compiled(lambda engine: engine.pixel_updater.update(mixtures, frame, rules, mask))


NUMPY_ENGINE = NumpyEngine()


def call_compiled_function(name: str, *arguments: Any) -> int | None:
    """Call a function of `kernels/compiled_functions.py`; return None, after a warning, without compiled code."""
    if isinstance(compiled_or_numpy_engine(), NumpyEngine):
        return None
    return int(getattr(_load_compiled_functions(), name)(*arguments))


@cache
def _load_compiled_functions() -> Any:
    """Import the module of compiled functions."""
    from gaussmix.kernels import compiled_functions

    return compiled_functions


def _call_compiled(operation: Callable[["CompiledEngine"], T | None]) -> T | None:
    """Return operation(compiled engine), or None, after a warning, without compiled code."""
    engine = compiled_or_numpy_engine()
    return None if isinstance(engine, NumpyEngine) else operation(cast("CompiledEngine", engine))


# The engine that `compiled_or_numpy_engine` found, kept for the life of the process.
_found_engines: list[BatchEngine] = []
_search_lock = threading.Lock()


def compiled_or_numpy_engine() -> BatchEngine:
    """Return the compiled engine; if it is unavailable, the NumPy engine, with one warning that says why."""
    if _found_engines:
        return _found_engines[0]
    with _search_lock:
        if not _found_engines:
            try:
                _found_engines.append(_load_compiled_engine())
            except Exception as reason:  # a broken installation can raise anything
                _found_engines.append(NUMPY_ENGINE)
                warnings.warn(CompiledCodeWarning.from_reason(reason), stacklevel=2)
    return _found_engines[0]


def _load_compiled_engine() -> BatchEngine:
    """Import the compiled engine and return an instance of it; raise whatever the import raises."""
    from gaussmix.engines.compiled import CompiledEngine

    return CompiledEngine()
