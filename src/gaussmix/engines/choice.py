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
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.core.roots import DenseRoot, LowRankRoot, SharedRoot
from gaussmix.core.whole import WholeEnd, WholeRun
from gaussmix.engines.base import AbstractEngine, Assign, RowScores
from gaussmix.engines.blocked import BlockedEngine
from gaussmix.errors import UncompilableError, UncompiledWarning
from gaussmix.types import NK

T = TypeVar("T")

MANY_RUNS = 32
"""Runs from which a search or a test may have whole runs compiled, which takes some seconds, once on a machine."""

MOST_WORK, MOST_COLUMNS_WHOLE = 150_000, 12
"""Pairs of row and component, each as many as 1 + columns^2 / 16, and columns of a whole run: beyond, passes by
registers, which share out their rows, are faster than runs side by side."""

WORTH_COMPILING = 30_000_000
"""Work of a pass from which it is done by compiled kernels: about 30 ms of NumPy, 3 ms compiled."""

MOST_COLUMNS_WRITTEN_OUT = 128
"""Columns up to which compiled kernels, which write a root of low rank out as a matrix, beat NumPy, which does not."""


@dataclass(frozen=True)
class AutomaticEngine(AbstractEngine):
    """NumPy or compiled kernels, by the work that all ``n_rows`` rows of the data are, in each of ``n_runs`` fits.

    Blocks and batches of the same rows are therefore all answered by one engine, whatever their size.
    """

    n_rows: int
    n_runs: int = 1

    def sweep(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        kind: MomentKind,
        assign: Assign = Assign.SOFT,
        total: Moments | None = None,
    ) -> Expectation:
        return _asked(self.chosen(quadratics), lambda engine: engine.sweep(reduce, quadratics, kind, assign, total))

    def score(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        return _asked(self.chosen(quadratics), lambda engine: engine.score(quadratics, batch, out))

    def rank(self, quadratics: Quadratics, batch: Batch) -> RowScores:
        return _asked(self.chosen(quadratics), lambda engine: engine.rank(quadratics, batch))

    def offers_whole(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Where many runs over few rows are to come: code that is made for one takes longer than the run."""
        size = n_rows * n_components * (1.0 + n_features**2 / 16.0)
        return self.n_runs >= MANY_RUNS and size <= MOST_WORK and n_features <= MOST_COLUMNS_WHOLE

    def whole(self, run: WholeRun) -> WholeEnd | None:
        return _asked(compiled(), lambda engine: engine.whole(run))

    def chosen(self, quadratics: Quadratics) -> AbstractEngine:
        """The engine that passes over the rows with these quadratics."""
        if isinstance(quadratics.root, LowRankRoot) and quadratics.n_features > MOST_COLUMNS_WRITTEN_OUT:
            return _NUMPY
        return compiled() if self.n_runs * work(self.n_rows, quadratics) >= WORTH_COMPILING else _NUMPY


_NUMPY = BlockedEngine()


def _asked(engine: AbstractEngine, question: Callable[[AbstractEngine], T]) -> T:
    """The answer of an engine; NumPy's where that turns out to lack code that cannot be made."""
    try:
        return question(engine)
    except UncompilableError as error:
        _give_up(error.__cause__ or error)
        return question(_NUMPY)


def work(n_rows: int, quadratics: Quadratics) -> float:
    """Work of one pass over the rows: about what it takes in NumPy, in nanoseconds."""
    n_features = quadratics.n_features
    products = n_features**2 / 5 if isinstance(quadratics.root, DenseRoot | SharedRoot | LowRankRoot) else 0.0
    return n_rows * quadratics.n_components * (30 + 4 * n_features + products)


_given_up: list[BaseException] = []
"""Why all passes of this process run in NumPy, where they have to."""


def compiled() -> AbstractEngine:
    """The compiled engine; where it cannot be used, NumPy, and one warning that says why."""
    if not _given_up:
        try:
            return _kernels()
        except Exception as reason:  # a broken installation can raise anything
            _give_up(reason)
    return _NUMPY


@cache
def _kernels() -> AbstractEngine:
    from gaussmix.engines.kernels import KernelEngine

    return KernelEngine()


def _give_up(reason: BaseException) -> None:
    _given_up.append(reason)
    if len(_given_up) == 1:  # several threads may find out at once
        warnings.warn(UncompiledWarning.because(reason), stacklevel=2)
