"""The engine for the work at hand: NumPy where there is little, compiled kernels where loading them pays.

Loading compiled code takes a tenth of a second, and making it, once on a machine, some seconds,
while a small fit takes milliseconds. The choice goes by counts alone, never by a clock or by what is
loaded already, so that the same question always gets the same answer bit for bit (but for its last bits where
compiled code cannot be had, which a warning tells).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.fused_em import FusedResult, FusedRun
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import DensePrecisionRoot, LowRankPrecisionRoot, SharedPrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.engines.base import AbstractEngine, AssignmentKind, BestScores
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.errors import CompilationError, CompilationWarning
from gaussmix.types import NK

T = TypeVar("T")

MIN_RUNS_FOR_FUSED = 32
"""Runs from which a search or a test may have whole runs compiled, which takes some seconds, once on a machine."""

MAX_FUSED_WEIGHTED_PAIRS, MAX_FUSED_FEATURES = 150_000, 12
"""Pairs of row and component, each as many as 1 + columns^2 / 16, and columns of a whole run: beyond, passes by
registers, which share out their rows, are faster than runs side by side."""

MIN_NANOSECONDS_FOR_COMPILED = 30_000_000
"""Work of a pass from which it is done by compiled kernels: about 30 ms of NumPy, 3 ms compiled."""

MAX_FEATURES_FOR_DENSE_LOW_RANK = 128
"""Columns up to which compiled kernels, which write a root of low rank out as a matrix, beat NumPy, which does not."""


@dataclass(frozen=True)
class AutomaticEngine(AbstractEngine):
    """NumPy or compiled kernels, by the work that all ``n_rows`` rows of the data are, in each of ``n_runs`` fits.

    Blocks and batches of the same rows are therefore all answered by one engine, whatever their size.
    """

    n_rows: int
    n_runs: int = 1

    def e_step(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        return _call_with_fallback(
            self.select_engine(quadratics),
            lambda engine: engine.e_step(reduce, quadratics, moment_kind, assignment, total_moments),
        )

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        return _call_with_fallback(
            self.select_engine(quadratics), lambda engine: engine.compute_scores(quadratics, batch, out)
        )

    def best_scores(self, quadratics: Quadratics, batch: Batch) -> BestScores:
        return _call_with_fallback(self.select_engine(quadratics), lambda engine: engine.best_scores(quadratics, batch))

    def can_run_fused(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Where many runs over few rows are to come: code that is made for one takes longer than the run."""
        size = n_rows * n_components * (1.0 + n_features**2 / 16.0)
        return (
            self.n_runs >= MIN_RUNS_FOR_FUSED and size <= MAX_FUSED_WEIGHTED_PAIRS and n_features <= MAX_FUSED_FEATURES
        )

    def run_fused(self, fused_run: FusedRun) -> FusedResult | None:
        return _call_with_fallback(compiled_engine(), lambda engine: engine.run_fused(fused_run))

    def select_engine(self, quadratics: Quadratics) -> AbstractEngine:
        """The engine that passes over the rows with these quadratics."""
        if (
            isinstance(quadratics.precision_root, LowRankPrecisionRoot)
            and quadratics.n_features > MAX_FEATURES_FOR_DENSE_LOW_RANK
        ):
            return _NUMPY_ENGINE
        return (
            compiled_engine()
            if self.n_runs * estimate_numpy_nanoseconds(self.n_rows, quadratics) >= MIN_NANOSECONDS_FOR_COMPILED
            else _NUMPY_ENGINE
        )


_NUMPY_ENGINE = NumpyEngine()


def _call_with_fallback(engine: AbstractEngine, operation: Callable[[AbstractEngine], T]) -> T:
    """The answer of an engine; NumPy's where that turns out to lack code that cannot be made."""
    try:
        return operation(engine)
    except CompilationError as error:
        _disable_compiled_engine(error.__cause__ or error)
        return operation(_NUMPY_ENGINE)


def estimate_numpy_nanoseconds(n_rows: int, quadratics: Quadratics) -> float:
    """Work of one pass over the rows: about what it takes in NumPy, in nanoseconds."""
    n_features = quadratics.n_features
    products = (
        n_features**2 / 5
        if isinstance(quadratics.precision_root, DensePrecisionRoot | SharedPrecisionRoot | LowRankPrecisionRoot)
        else 0.0
    )
    return n_rows * quadratics.n_components * (30 + 4 * n_features + products)


_compile_failures: list[BaseException] = []
"""Why all passes of this process run in NumPy, where they have to."""


def compiled_engine() -> AbstractEngine:
    """The compiled engine; where it cannot be used, NumPy, and one warning that says why."""
    if not _compile_failures:
        try:
            return _load_compiled_engine()
        except Exception as reason:  # a broken installation can raise anything
            _disable_compiled_engine(reason)
    return _NUMPY_ENGINE


@cache
def _load_compiled_engine() -> AbstractEngine:
    from gaussmix.engines.kernels import CompiledEngine

    return CompiledEngine()


def _disable_compiled_engine(reason: BaseException) -> None:
    _compile_failures.append(reason)
    if len(_compile_failures) == 1:  # several threads may find out at once
        warnings.warn(CompilationWarning.from_reason(reason), stacklevel=2)
