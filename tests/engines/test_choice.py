"""NumPy or compiled kernels: by counts, for all rows alike, and NumPy where Numba cannot be used."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gaussmix import GaussianMixture, Mixture
from gaussmix.core.batch import Batch
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import AbstractRoot, DenseRoot, DiagonalRoot, LowRankRoot, SharedRoot, SphericalRoot
from gaussmix.covariance.structure import Structure
from gaussmix.engines import AbstractEngine, AutomaticEngine, BlockedEngine, choice
from gaussmix.engines.base import RowScores
from gaussmix.engines.kernels import KernelEngine
from gaussmix.model.problem import Problem, source_of
from gaussmix.types import ND

ROOTS: dict[str, Callable[[int, int], AbstractRoot]] = {
    "dense": lambda k, d: DenseRoot(np.broadcast_to(np.eye(d), (k, d, d))),
    "shared": lambda k, d: SharedRoot(np.eye(d)),
    "diagonal": lambda k, d: DiagonalRoot(np.ones((k, d))),
    "spherical": lambda k, d: SphericalRoot(np.ones(k)),
    "low rank": lambda k, d: LowRankRoot(np.ones((k, d)), np.repeat(np.eye(d)[None, :, :2], k, 0), np.ones((k, 2))),
}


def quadratics_of(form: str, n_components: int = 4, n_features: int = 8) -> Quadratics:
    center = np.random.default_rng(0).normal(size=(n_components, n_features))
    return Quadratics(np.zeros(n_components), center, ROOTS[form](n_components, n_features))


@pytest.mark.parametrize("form", ROOTS)
def test_work_grows_with_rows_components_and_columns(form: str) -> None:
    least = choice.work(1000, quadratics_of(form))
    assert choice.work(2000, quadratics_of(form)) == 2 * least
    assert choice.work(1000, quadratics_of(form, n_components=8)) == 2 * least
    assert choice.work(1000, quadratics_of(form, n_features=16)) > least
    assert choice.work(1000, quadratics_of("dense")) >= least


@pytest.mark.parametrize("form", ROOTS)
def test_the_engine_goes_by_the_work_of_all_rows(form: str) -> None:
    quadratics = quadratics_of(form)
    enough = int(np.ceil(choice.WORTH_COMPILING / choice.work(1, quadratics)))
    assert isinstance(AutomaticEngine(enough - 1).chosen(quadratics), BlockedEngine)
    assert isinstance(AutomaticEngine(enough).chosen(quadratics), KernelEngine)


def test_a_root_of_low_rank_is_written_out_for_few_columns_only() -> None:
    most = choice.MOST_COLUMNS_WRITTEN_OUT
    assert isinstance(AutomaticEngine(10**9).chosen(quadratics_of("low rank", n_features=most)), KernelEngine)
    assert isinstance(AutomaticEngine(10**9).chosen(quadratics_of("low rank", n_features=most + 1)), BlockedEngine)


def test_a_block_is_answered_by_the_engine_of_the_whole() -> None:
    quadratics = quadratics_of("dense")
    rows = np.random.default_rng(1).normal(size=(500, 8))
    engine, compiled = AutomaticEngine(10**8), KernelEngine()
    for start in range(0, 500, 100):
        batch = Batch(rows[start : start + 100])
        np.testing.assert_array_equal(engine.score(quadratics, batch), compiled.score(quadratics, batch))
        np.testing.assert_array_equal(engine.rank(quadratics, batch).top, compiled.rank(quadratics, batch).top)


class Counting(BlockedEngine):
    """NumPy that counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def score(self, *arguments: object, **options: object) -> ND:
        self.asked += 1
        return super().score(*arguments, **options)  # type: ignore[arg-type]

    def rank(self, *arguments: object) -> RowScores:
        self.asked += 1
        return super().rank(*arguments)  # type: ignore[arg-type]


ROWS = np.random.default_rng(2).normal(size=(60, 2))
MIXTURE = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [np.eye(2)] * 2)
FITTED = GaussianMixture(2, random_state=0).fit(ROWS)


@pytest.mark.parametrize(
    "ask",
    [
        MIXTURE.log_density,
        MIXTURE.responsibilities,
        MIXTURE.predict,
        FITTED.score_samples,
        FITTED.predict_proba,
        FITTED.predict,
        FITTED.bic,
        FITTED.icl,
        lambda rows: Problem.of(source_of(rows), Structure.parse("VVV")).log_certainty(MIXTURE.to_quadratics()),
    ],
)
def test_every_question_to_many_rows_goes_to_the_compiled_engine(
    ask: Callable[[ND], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Counting()
    monkeypatch.setattr(choice, "compiled", lambda: engine)
    ask(ROWS)
    assert engine.asked == 0
    monkeypatch.setattr(choice, "WORTH_COMPILING", 0)
    ask(ROWS)
    assert engine.asked > 0


def test_an_engine_that_is_asked_for_is_used() -> None:
    engine: AbstractEngine = KernelEngine()
    assert Problem.of(source_of(ROWS), Structure.parse("VVV"), engine=engine).engine is engine


UNUSABLE = """
import sys, warnings
import numpy as np
from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import SphericalRoot
from gaussmix.engines import BlockedEngine
from gaussmix.engines.choice import AutomaticEngine
{break_it}
quadratics = Quadratics(np.zeros(2), np.eye(2), SphericalRoot(np.ones(2)))
batch = Batch(np.arange(20.0).reshape(10, 2))
engine, expected = AutomaticEngine(10**9), BlockedEngine()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(3):
        found = engine.expect(quadratics, batch, MomentKind.TRACE)
        assert found.log_likelihood == expected.expect(quadratics, batch, MomentKind.TRACE).log_likelihood
        np.testing.assert_array_equal(engine.score(quadratics, batch), expected.score(quadratics, batch))
        np.testing.assert_array_equal(engine.rank(quadratics, batch).top, expected.rank(quadratics, batch).top)
        assert isinstance(engine.chosen(quadratics), BlockedEngine)
(warning,) = caught
print(warning.category.__name__, warning.message)
"""


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        ("sys.modules['numba'] = None", "numba"),
        ("sys.modules['numba.core.codegen'] = None", "numba.core.codegen"),
        ("sys.modules['llvmlite.binding'] = None", "llvmlite"),
        ("import os; os.environ['NUMBA_DISABLE_JIT'] = '1'", "NUMBA_DISABLE_JIT"),
    ],
)
def test_where_nothing_can_be_compiled_passes_run_in_numpy_with_one_warning_that_says_why(
    break_it: str, reason: str, tmp_path: Path
) -> None:
    code, empty = UNUSABLE.format(break_it=break_it), {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | empty
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("UncompiledWarning passes over the rows run in NumPy")
    assert "since Numba cannot be used" in done.stdout
    assert reason in done.stdout
