"""Choose the engine: NumPy for little work, compiled kernels for much.

Loading compiled code takes a tenth of a second, and compiling it some seconds once per machine; a small fit
takes milliseconds. The choice depends on counts only, not on clocks or on loaded code. So the same
call always gives the same bits, unless compiled code is unavailable, which a warning tells.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar

from gaussmix.core.batch import Batch
from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult
from gaussmix.core.group_costs import GroupCost, GroupMoments
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.pixel_mixtures import PixelMixtures, PixelRules
from gaussmix.core.precision_roots import DensePrecisionRoot, LowRankPrecisionRoot, SharedPrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.agglomerator import AbstractAgglomerator, SupportsAgglomeration
from gaussmix.engines.base import (
    AbstractEStep,
    AssignmentKind,
    BatchEngine,
    BestScores,
)
from gaussmix.engines.fused_runner import AbstractFusedRunner, SupportsFusedRuns
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.engines.pixel_updater import AbstractPixelUpdater, SupportsPixelUpdates
from gaussmix.errors import CompiledCodeError, CompiledCodeWarning
from gaussmix.types import NK, AnyArray, IntK, IntNC, K

T = TypeVar("T")

# Number of runs from which fused runs and merges repay their compilation, which takes some seconds once per machine.
MIN_RUNS_FOR_FUSED = 16

# Largest fused run: pairs of row and component, times 1 + n_features^2 / 16, and its features. Above, separate passes
# are faster: they skip pairs and share rows among threads.
MAX_FUSED_WEIGHTED_PAIRS, MAX_FUSED_FEATURES = 500_000, 12

# NumPy time of a pass from which compiled kernels do it: about 30 ms in NumPy, 3 ms compiled.
MIN_NANOSECONDS_FOR_COMPILED = 30_000_000

# Features up to which compiled kernels, which write a low-rank root as a dense matrix, are faster than NumPy.
MAX_FEATURES_FOR_DENSE_LOW_RANK = 128

# Pixels of a frame from which compiled code updates their mixtures; NumPy needs 2 ms for fewer.
MIN_PIXELS_FOR_COMPILED = 4096


@dataclass(frozen=True)
class AutomaticEngine(BatchEngine, SupportsFusedRuns, SupportsAgglomeration):
    """NumPy or compiled kernels, by the work of a pass over all rows.

    All blocks and batches of the same rows are computed by one engine, whatever their size.

    Parameters
    ----------
    n_rows : int
        Number of rows of the data.
    n_runs : int, default=1
        Number of fits to come, which share the cost of loading compiled code.
    """

    n_rows: int
    n_runs: int = 1
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
        return _call_with_numpy_fallback(
            self.select_engine(quadratics), lambda engine: engine.compute_scores(quadratics, batch, out)
        )

    def best_scores(self, quadratics: Quadratics, batch: Batch) -> BestScores:
        """Return best component, its score and log density of each row, by the selected engine."""
        return _call_with_numpy_fallback(
            self.select_engine(quadratics), lambda engine: engine.best_scores(quadratics, batch)
        )

    def fall_back_or_raise(self, error: CompiledCodeError) -> BatchEngine:
        """Return the NumPy engine; warn once that code cannot be compiled, and do not try again in this process."""
        _disable_compiled_engine_and_warn_once(error.__cause__ or error)
        return NUMPY_ENGINE

    @property
    def fused_runner(self) -> "AutomaticFusedRunner":
        """The runner that uses compiled code where many runs repay its compilation."""
        return AutomaticFusedRunner(self.n_runs)

    @property
    def agglomerator(self) -> "AutomaticAgglomerator":
        """The agglomerator that uses compiled code where many runs repay its compilation."""
        return AutomaticAgglomerator(self.n_runs)

    def select_engine(self, quadratics: Quadratics) -> BatchEngine:
        """Return the engine for these quadratics: NumPy for little work or unsupported models, else compiled."""
        is_wide_low_rank = (
            isinstance(quadratics.precision_root, LowRankPrecisionRoot)
            and quadratics.n_features > MAX_FEATURES_FOR_DENSE_LOW_RANK
        )
        # Compiled passes need triangular roots, which cost more than a pass over so few rows.
        has_few_rows = isinstance(quadratics.precision_root, DensePrecisionRoot) and (
            self.n_rows < quadratics.n_features
        )
        nanoseconds = self.n_runs * estimate_numpy_nanoseconds(self.n_rows, quadratics)
        is_little_work = nanoseconds < MIN_NANOSECONDS_FOR_COMPILED
        if is_wide_low_rank or has_few_rows or is_little_work or quadratics.tables:
            return NUMPY_ENGINE
        return compiled_or_numpy_engine()


@dataclass(frozen=True)
class AutomaticFusedRunner(AbstractFusedRunner):
    """Runs EM in compiled code if ``n_runs`` runs are to come, each over few rows."""

    n_runs: int

    def should_run(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Return whether enough runs are to come to repay the compilation, and each is small enough to be faster."""
        n_weighted_pairs = n_rows * n_components * (1.0 + n_features**2 / 16.0)
        return (
            self.n_runs >= MIN_RUNS_FOR_FUSED
            and n_weighted_pairs <= MAX_FUSED_WEIGHTED_PAIRS
            and n_features <= MAX_FUSED_FEATURES
        )

    def run(self, run_input: FusedRunInput) -> FusedRunResult | None:
        """Run EM in compiled code; return the last parameters, or None, after a warning, if code cannot be compiled."""
        return _call_fused_runner(lambda runner: runner.run(run_input))

    def fit_first_covariances(self, m_step_input: FirstMStepInput) -> FusedCovariances | None:
        """Make an M-step in compiled code; return None, after a warning, if code cannot be compiled."""
        return _call_fused_runner(lambda runner: runner.fit_first_covariances(m_step_input))


@dataclass(frozen=True)
class AutomaticAgglomerator(AbstractAgglomerator):
    """Merges groups in compiled code if ``n_runs`` runs are to come, which repay the compilation."""

    n_runs: int

    def should_run(self) -> bool:
        """Return whether enough runs are to come."""
        return self.n_runs >= MIN_RUNS_FOR_FUSED

    def compute_pair_costs(self, groups: GroupMoments, cost: GroupCost, first: IntK, second: IntK) -> K | None:
        """Return the costs of pairs of groups, or None, after a warning, if code cannot be compiled."""
        return _call_agglomerator(lambda agglomerator: agglomerator.compute_pair_costs(groups, cost, first, second))

    def merge_groups(self, groups: GroupMoments, cost: GroupCost) -> IntNC | None:
        """Return the merges of all groups, or None, after a warning, if code cannot be compiled."""
        return _call_agglomerator(lambda agglomerator: agglomerator.merge_groups(groups, cost))


@dataclass(frozen=True)
class AutomaticPixelUpdater(AbstractPixelUpdater):
    """Updates the mixtures of pixels in compiled code if there are many; both ways give the same bits."""

    def update(self, mixtures: PixelMixtures, frame: AnyArray, rules: PixelRules, mask: AnyArray) -> int | None:
        """Return the number of foreground pixels; None, after a warning, if code cannot be compiled, or for few."""
        if mask.size < MIN_PIXELS_FOR_COMPILED:
            return None
        engine = compiled_or_numpy_engine()
        if not isinstance(engine, SupportsPixelUpdates):
            return None
        return _call_or_none(lambda: engine.pixel_updater.update(mixtures, frame, rules, mask))


NUMPY_ENGINE = NumpyEngine()


def call_compiled_function(name: str, *arguments: Any) -> int | None:
    """Call a function of `kernels/compiled_functions.py`; return None, after a warning, if it cannot be had.

    Functions that write to their arguments have written nothing if the result is None.
    """
    if not isinstance(compiled_or_numpy_engine(), NumpyEngine):
        return _call_or_none(lambda: int(getattr(_load_compiled_functions(), name)(*arguments)))
    return None


@cache
def _load_compiled_functions() -> Any:
    """Import the module of compiled functions."""
    from gaussmix.kernels import compiled_functions

    return compiled_functions


def _call_fused_runner(operation: Callable[[AbstractFusedRunner], T | None]) -> T | None:
    """Return operation(compiled runner), or None if there is no compiled engine."""
    engine = compiled_or_numpy_engine()
    return _call_or_none(lambda: operation(engine.fused_runner)) if isinstance(engine, SupportsFusedRuns) else None


def _call_agglomerator(operation: Callable[[AbstractAgglomerator], T | None]) -> T | None:
    """Return operation(compiled agglomerator), or None if there is no compiled engine."""
    engine = compiled_or_numpy_engine()
    return _call_or_none(lambda: operation(engine.agglomerator)) if isinstance(engine, SupportsAgglomeration) else None


def _call_or_none(operation: Callable[[], T | None]) -> T | None:
    """Return operation(), or None, after a warning, if code cannot be compiled."""
    try:
        return operation()
    except CompiledCodeError as error:
        _disable_compiled_engine_and_warn_once(error.__cause__ or error)
        return None


def _call_with_numpy_fallback(engine: BatchEngine, operation: Callable[[BatchEngine], T]) -> T:
    """Return operation(engine), or operation(NumPy engine), after a warning, if code cannot be compiled."""
    try:
        return operation(engine)
    except CompiledCodeError as error:
        _disable_compiled_engine_and_warn_once(error.__cause__ or error)
        return operation(NUMPY_ENGINE)


def estimate_numpy_nanoseconds(n_rows: int, quadratics: Quadratics) -> float:
    """Return an estimate of the time of one pass over the rows in NumPy, in nanoseconds."""
    n_features = quadratics.n_features
    product_nanoseconds = (
        n_features**2 / 5
        if isinstance(quadratics.precision_root, DensePrecisionRoot | SharedPrecisionRoot | LowRankPrecisionRoot)
        else 0.0
    )
    return n_rows * quadratics.n_components * (30 + 4 * n_features + product_nanoseconds)


# Reasons why this process cannot use compiled code.
_compile_failures: list[BaseException] = []


def compiled_or_numpy_engine() -> BatchEngine:
    """Return the compiled engine; if it is unavailable, the NumPy engine, with one warning that says why."""
    if not _compile_failures:
        try:
            return _load_compiled_engine()
        except Exception as reason:  # a broken installation can raise anything
            _disable_compiled_engine_and_warn_once(reason)
    return NUMPY_ENGINE


@cache
def _load_compiled_engine() -> BatchEngine:
    """Import the compiled engine and return an instance of it; raise whatever the import raises."""
    from gaussmix.engines.compiled import CompiledEngine

    return CompiledEngine()


def _disable_compiled_engine_and_warn_once(reason: BaseException) -> None:
    """Make `compiled_or_numpy_engine` return the NumPy engine from now on, and warn the first time."""
    _compile_failures.append(reason)
    if len(_compile_failures) == 1:  # several threads may find out at once
        warnings.warn(CompiledCodeWarning.from_reason(reason), stacklevel=2)
