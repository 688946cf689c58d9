"""The automatic engine: compiled kernels for all rows alike, NumPy for other models and without compiled code."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gaussmix import GaussianMixture, Mixture
from gaussmix.core.batch import Batch
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    LowRankPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance.structure import Structure
from gaussmix.engines import AbstractEngine, AutomaticEngine, NumpyEngine, automatic
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.engines.numpy_engine import NumpyEStep
from gaussmix.engines.score_tiles import BestScores
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.types import ND

ROOTS: dict[str, Callable[[int, int], AbstractPrecisionRoot]] = {
    "dense": lambda k, d: DensePrecisionRoot(np.broadcast_to(np.eye(d), (k, d, d))),
    "shared": lambda k, d: SharedPrecisionRoot(np.eye(d)),
    "diagonal": lambda k, d: DiagonalPrecisionRoot(np.ones((k, d))),
    "spherical": lambda k, d: SphericalPrecisionRoot(np.ones(k)),
    "low rank": lambda k, d: LowRankPrecisionRoot(
        np.ones((k, d)), np.repeat(np.eye(d)[None, :, :2], k, 0), np.ones((k, 2))
    ),
}


def make_quadratics(form: str, n_components: int = 4, n_features: int = 8) -> Quadratics:
    center = np.random.default_rng(0).normal(size=(n_components, n_features))
    return Quadratics(np.zeros(n_components), center, ROOTS[form](n_components, n_features))


@pytest.mark.parametrize("n_rows", [1, 10, 10**9])
@pytest.mark.parametrize("form", ROOTS)
def test_compiled_code_computes_at_every_size(form: str, n_rows: int) -> None:
    assert isinstance(AutomaticEngine(n_rows).select_engine(make_quadratics(form)), CompiledEngine)


def test_numpy_computes_models_with_tables() -> None:
    quadratics = replace(make_quadratics("dense"), tables=(np.zeros((4, 3)),))
    assert isinstance(AutomaticEngine(10**9).select_engine(quadratics), NumpyEngine)


@pytest.mark.parametrize("n_features", [2, 63, 64, 65, 130])
def test_numpy_computes_roots_that_are_not_triangular_for_fewer_rows_than_columns(n_features: int) -> None:
    rng = np.random.default_rng(n_features)
    upper = np.triu(rng.normal(size=(3, n_features, n_features)))
    triangular = Quadratics(np.zeros(3), np.zeros((3, n_features)), DensePrecisionRoot(upper))
    assert isinstance(AutomaticEngine(1).select_engine(triangular), CompiledEngine)
    row = int(rng.integers(1, n_features))
    upper[1, row, int(rng.integers(row))] = 1e-300
    dense = Quadratics(np.zeros(3), np.zeros((3, n_features)), DensePrecisionRoot(upper))
    assert isinstance(AutomaticEngine(n_features - 1).select_engine(dense), NumpyEngine)
    assert isinstance(AutomaticEngine(n_features).select_engine(dense), CompiledEngine)


def test_a_low_rank_root_becomes_dense_for_few_columns_only() -> None:
    most = automatic.MAX_FEATURES_FOR_DENSE_LOW_RANK
    assert isinstance(
        AutomaticEngine(10**9).select_engine(make_quadratics("low rank", n_features=most)), CompiledEngine
    )
    assert isinstance(
        AutomaticEngine(10**9).select_engine(make_quadratics("low rank", n_features=most + 1)), NumpyEngine
    )


def test_one_engine_computes_all_blocks() -> None:
    quadratics = make_quadratics("dense")
    rows = np.random.default_rng(1).normal(size=(500, 8))
    engine, compiled = AutomaticEngine(10**8), CompiledEngine()
    for start in range(0, 500, 100):
        batch = Batch(rows[start : start + 100])
        np.testing.assert_array_equal(
            engine.compute_scores(quadratics, batch), compiled.compute_scores(quadratics, batch)
        )
        np.testing.assert_array_equal(
            engine.best_scores(quadratics, batch).best_scores, compiled.best_scores(quadratics, batch).best_scores
        )


class CountingEngine(NumpyEngine):
    """A NumPy engine that counts its calls."""

    def __init__(self) -> None:
        self.n_calls = 0

    def compute_scores(self, *arguments: object, **options: object) -> ND:
        self.n_calls += 1
        return super().compute_scores(*arguments, **options)  # type: ignore[arg-type]

    def make_e_step(self, *arguments: object, **options: object) -> NumpyEStep:
        self.n_calls += 1
        return super().make_e_step(*arguments, **options)  # type: ignore[arg-type]

    def best_scores(self, *arguments: object) -> BestScores:
        self.n_calls += 1
        return super().best_scores(*arguments)  # type: ignore[arg-type]


ROWS = np.random.default_rng(2).normal(size=(60, 2))
MIXTURE = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [np.eye(2)] * 2)
FITTED = GaussianMixture(2, random_state=0).fit(ROWS)


@pytest.mark.parametrize(
    "method",
    [
        MIXTURE.logpdf,
        MIXTURE.predict_proba,
        MIXTURE.predict,
        FITTED.score_samples,
        FITTED.predict_proba,
        FITTED.predict,
        FITTED.bic,
        FITTED.icl,
        lambda rows: Problem.from_source(
            make_memory_source(rows), Structure.from_name("VVV")
        ).total_log_max_responsibility(MIXTURE),
    ],
)
def test_all_predictions_use_the_compiled_engine(
    method: Callable[[ND], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = CountingEngine()
    monkeypatch.setattr(automatic, "compiled_or_numpy_engine", lambda: engine)
    method(ROWS)
    assert engine.n_calls > 0


def test_a_given_engine_is_used() -> None:
    engine: AbstractEngine = CompiledEngine()
    assert Problem.from_source(make_memory_source(ROWS), Structure.from_name("VVV"), engine=engine).engine is engine


UNUSABLE = """
import sys, warnings
import numpy as np
from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import NumpyEngine
from gaussmix.engines.automatic import AutomaticEngine
{break_it}
from gaussmix.sources import MemorySource
model = CentersModel.euclidean(np.eye(2))
quadratics, rows = model.to_quadratics(), MemorySource.from_array(np.arange(20.0).reshape(10, 2))
batch = Batch(np.arange(20.0).reshape(10, 2))
engine, expected = AutomaticEngine(10**9), NumpyEngine()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(3):
        found, wanted = (one.bind(rows).e_step(model, MomentKind.TRACE) for one in (engine, expected))
        assert found.log_likelihood == wanted.log_likelihood
        scores, expected_scores = (one.compute_scores(quadratics, batch) for one in (engine, expected))
        np.testing.assert_array_equal(scores, expected_scores)
        best, expected_best = (one.best_scores(quadratics, batch).best_scores for one in (engine, expected))
        np.testing.assert_array_equal(best, expected_best)
        shares, expected_shares = (one.compute_responsibilities(quadratics, batch) for one in (engine, expected))
        np.testing.assert_array_equal(shares.responsibilities, expected_shares.responsibilities)
        assert isinstance(engine.select_engine(quadratics), NumpyEngine)
(warning,) = caught
print(warning.category.__name__, warning.message)
"""


NO_LIBRARY = "library.library_path = lambda: 'nowhere'"
DAMAGED_LIBRARY = "library.library_path = lambda: {path!r}"
TRUNCATED_LIBRARY = DAMAGED_LIBRARY + "; open({path!r} + '.crc32', 'w').write('634832 bytes, CRC-32 2144df1c')"
NO_LEVEL = "import os; os.environ['GAUSSMIX_CPU_LEVEL'] = 'x86-64-v9'"
OLD_LIBRARY = "library._FUNCTION_OF_ALL_LEVELS = 'run_other_pass'"


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (NO_LIBRARY, "there is no library of compiled functions at nowhere; install gaussmix"),
        (DAMAGED_LIBRARY, "cannot be loaded: "),
        (TRUNCATED_LIBRARY, "is damaged: it has 10 bytes, CRC-32 "),
        (
            NO_LEVEL,
            "GAUSSMIX_CPU_LEVEL is 'x86-64-v9', for which this processor and this installation have no ",
        ),
        (OLD_LIBRARY, "holds no code for "),
    ],
)
def test_without_compiled_code_numpy_runs_with_one_warning(break_it: str, reason: str, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(b"no library")
    setup = f"from gaussmix.kernels import library; {break_it.format(path=str(damaged))}"
    code = UNUSABLE.format(break_it=setup)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("CompiledCodeWarning rows are processed in NumPy, often ten times slower")
    assert reason in done.stdout
