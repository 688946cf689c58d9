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
from typing import Any, ClassVar, TypeVar

from gaussmix.core.batch import Batch
from gaussmix.core.fused_em import FusedResult, FusedRun
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.precision_roots import DensePrecisionRoot, LowRankPrecisionRoot, SharedPrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import (
    AbstractEngine,
    AbstractEStep,
    AssignmentKind,
    BatchEngine,
    BestScores,
)
from gaussmix.engines.fused_runner import AbstractFusedRunner, SupportsFusedRuns
from gaussmix.engines.numpy_engine import NumpyEngine
from gaussmix.errors import CompilationError, CompilationWarning, ParameterError
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
class AutomaticEngine(BatchEngine):
    """NumPy or compiled kernels, by the work of a pass over all ``n_rows`` rows in each of ``n_runs`` fits.

    All blocks and batches of the same rows are therefore computed by one engine, whatever their size.
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
        return self.select_engine(quadratics).make_e_step(quadratics, moment_kind, assignment, total_moments)

    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        return _call_with_fallback(
            self.select_engine(quadratics), lambda engine: engine.compute_scores(quadratics, batch, out)
        )

    def best_scores(self, quadratics: Quadratics, batch: Batch) -> BestScores:
        return _call_with_fallback(self.select_engine(quadratics), lambda engine: engine.best_scores(quadratics, batch))

    def fall_back(self, error: CompilationError) -> BatchEngine:
        _disable_compiled_engine(error.__cause__ or error)
        return _NUMPY_ENGINE

    @property
    def fused_runner(self) -> "AutomaticFusedRunner":
        """The runner that uses compiled code where many runs repay its compilation."""
        return AutomaticFusedRunner(self.n_runs)

    def select_engine(self, quadratics: Quadratics) -> BatchEngine:
        """Return the engine that passes over the rows with these quadratics."""
        is_wide_low_rank = (
            isinstance(quadratics.precision_root, LowRankPrecisionRoot)
            and quadratics.n_features > MAX_FEATURES_FOR_DENSE_LOW_RANK
        )
        work = self.n_runs * estimate_numpy_nanoseconds(self.n_rows, quadratics)
        if is_wide_low_rank or quadratics.tables or work < MIN_NANOSECONDS_FOR_COMPILED:
            return _NUMPY_ENGINE
        return compiled_engine()


@dataclass(frozen=True)
class AutomaticFusedRunner(AbstractFusedRunner):
    """Runs EM in compiled code if ``n_runs`` runs are to come, each over few rows."""

    n_runs: int

    def can_run(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Return whether so many runs are to come that they repay the compilation, each over few enough rows."""
        size = n_rows * n_components * (1.0 + n_features**2 / 16.0)
        return (
            self.n_runs >= MIN_RUNS_FOR_FUSED and size <= MAX_FUSED_WEIGHTED_PAIRS and n_features <= MAX_FUSED_FEATURES
        )

    def run(self, fused_run: FusedRun) -> FusedResult | None:
        """Return the result of compiled code; None if it cannot be compiled."""
        engine = compiled_engine()
        try:
            return engine.fused_runner.run(fused_run) if isinstance(engine, SupportsFusedRuns) else None
        except CompilationError as error:
            _disable_compiled_engine(error.__cause__ or error)
            return None


_NUMPY_ENGINE = NumpyEngine()


def _call_with_fallback(engine: BatchEngine, operation: Callable[[BatchEngine], T]) -> T:
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


def compiled_engine() -> BatchEngine:
    """The compiled engine; where it cannot be used, NumPy, and one warning that says why."""
    if not _compile_failures:
        try:
            return _load_compiled_engine()
        except Exception as reason:  # a broken installation can raise anything
            _disable_compiled_engine(reason)
    return _NUMPY_ENGINE


@cache
def _load_compiled_engine() -> BatchEngine:
    from gaussmix.engines.kernels import CompiledEngine

    return CompiledEngine()


def _disable_compiled_engine(reason: BaseException) -> None:
    _compile_failures.append(reason)
    if len(_compile_failures) == 1:  # several threads may find out at once
        warnings.warn(CompilationWarning.from_reason(reason), stacklevel=2)


ENGINE_NAMES = ("auto", "numpy", "compiled")


def resolve_engine(engine: str | AbstractEngine, n_rows: int, n_runs: int = 1) -> AbstractEngine:
    """Return the engine of a name, or the object if it is an engine.

    Parameters
    ----------
    engine : {'auto', 'numpy', 'compiled'} or AbstractEngine
        'auto' takes NumPy for little work and compiled kernels for much.
    n_rows : int
        Number of rows of the data.
    n_runs : int, default=1
        Number of fits to come, over which the cost of loading compiled code is spread.

    Raises
    ------
    ParameterError
        If there is no engine of that name.
    """
    if isinstance(engine, AbstractEngine):
        return engine
    if engine not in ENGINE_NAMES:
        raise ParameterError.invalid_choice("engine", engine, ENGINE_NAMES)
    if engine == "numpy":
        return _NUMPY_ENGINE
    return AutomaticEngine(n_rows, n_runs) if engine == "auto" else compiled_engine()
