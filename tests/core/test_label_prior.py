"""Label priors are checked before an engine reads them: one entry per row, labels of components, a component left."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gaussmix.core.label_prior import AllowedComponents, KnownComponents, LabelPrior, LogProbabilities
from gaussmix.core.moments import MomentKind
from gaussmix.covariance import Structure
from gaussmix.engines import AbstractEngine, NumpyEngine, ReferenceEngine
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.errors import LabelError, ParameterError
from gaussmix.model import Mixture, Problem
from gaussmix.solvers import EM, RelativeGainRule, run_solver
from gaussmix.sources import AbstractSource, MemorySource
from gaussmix.types import NK, Array, IntN
from tests.contracts.toys import ChunkStream

N_ROWS = 40
MIXTURE = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [3.0, 3.0]], [np.eye(2)] * 2)
ENGINES = [NumpyEngine(), CompiledEngine(), ReferenceEngine()]
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)


def make_rows(n_rows: int = N_ROWS) -> Array:
    return np.random.default_rng(0).normal(size=(n_rows, 2))


@dataclass(frozen=True)
class HereSource(AbstractSource):
    """Chunks of 1000 rows in this process, of unknown number."""

    stream: ChunkStream

    @property
    def n_features(self) -> int:
        return int(self.stream.rows.shape[1])

    def reduce(self, task: Any) -> Any:
        total = None
        for batch in self.stream:
            total = task(batch) if total is None else total + task(batch)
        return total

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class ConstantPrior(LabelPrior):
    """A prior of a user's own: the same table for every batch."""

    table: NK

    def log_prior(self, n_components: int) -> NK:
        return self.table

    def select_rows(self, rows: slice | IntN) -> "ConstantPrior":
        return self


def with_entry(array: Array, index: Any, value: float) -> Array:
    array[index] = value
    return array


BAD_FOR_TWO_COMPONENTS = {
    "one column": (lambda: AllowedComponents(np.ones((N_ROWS, 1), dtype=bool)), r"shape \(40, 2\).*has \(40, 1\)"),
    "three columns": (lambda: LogProbabilities(np.zeros((N_ROWS, 3))), r"shape \(40, 2\).*has \(40, 3\)"),
    "label too large": (lambda: KnownComponents(np.full(N_ROWS, 7)), r"components from 0 to 1.*row 0 .*has 7"),
    "last label too large": (
        lambda: KnownComponents(with_entry(np.zeros(N_ROWS, dtype=np.int64), -1, 2)),
        r"row 39 .*has 2",
    ),
    "label below -1": (lambda: KnownComponents(np.full(N_ROWS, -2)), r"row 0 .*has -2"),
    "nothing allowed": (
        lambda: AllowedComponents(with_entry(np.ones((N_ROWS, 2), dtype=bool), 5, False)),
        r"row 5 .*excludes every component",
    ),
    "all minus infinity": (lambda: LogProbabilities(with_entry(np.zeros((N_ROWS, 2)), 6, -np.inf)), r"row 6 "),
    "NaN": (lambda: LogProbabilities(with_entry(np.zeros((N_ROWS, 2)), (7, 1), np.nan)), r"row 7 "),
    "infinity": (lambda: LogProbabilities(with_entry(np.zeros((N_ROWS, 2)), (8, 0), np.inf)), r"row 8 "),
    "own prior of wrong shape": (lambda: ConstantPrior(np.zeros((N_ROWS, 1))), r"has \(40, 1\)"),
}


@every_engine
@pytest.mark.parametrize("name", BAD_FOR_TWO_COMPONENTS)
def test_a_prior_that_does_not_fit_two_components_is_refused(engine: AbstractEngine, name: str) -> None:
    make_prior, message = BAD_FOR_TWO_COMPONENTS[name]
    session = engine.bind(MemorySource.from_array(make_rows()).with_label_prior(make_prior()))
    with np.errstate(all="raise"):
        with pytest.raises(LabelError, match=message):
            session.e_step(MIXTURE, MomentKind.FULL)
        with pytest.raises(LabelError, match=message):
            session.reduce_scores(MIXTURE, lambda batch, scores: 0.0)
        with pytest.raises(LabelError, match=message):
            session.reduce_best_scores(MIXTURE, lambda batch, best: 0.0)


PRIORS_OF_N_ROWS = {
    "labels": lambda n: KnownComponents(np.zeros(n, dtype=np.int64)),
    "mask": lambda n: AllowedComponents(np.ones((n, 2), dtype=bool)),
    "log probabilities": lambda n: LogProbabilities(np.zeros((n, 2))),
}


@pytest.mark.parametrize("kind", PRIORS_OF_N_ROWS)
@pytest.mark.parametrize("n_entries", [0, 10, 39, 41, 4000])
def test_a_prior_of_another_number_of_rows_is_refused_at_once(kind: str, n_entries: int) -> None:
    source = MemorySource.from_array(make_rows())
    with pytest.raises(LabelError, match=f"describes {n_entries} rows, but the source has 40"):
        source.with_label_prior(PRIORS_OF_N_ROWS[kind](n_entries))


@every_engine
@pytest.mark.parametrize("kind", PRIORS_OF_N_ROWS)
def test_a_short_prior_of_a_source_of_unknown_length_is_refused(engine: AbstractEngine, kind: str) -> None:
    source = HereSource(ChunkStream(make_rows(2500))).with_label_prior(PRIORS_OF_N_ROWS[kind](2400))
    with pytest.raises(LabelError, match=r"500"):
        engine.bind(source).e_step(MIXTURE, MomentKind.FULL)


@every_engine
def test_the_row_of_an_error_counts_from_the_start_of_the_data(engine: AbstractEngine) -> None:
    labels = with_entry(np.zeros(2500, dtype=np.int64), 2100, 2)
    source = HereSource(ChunkStream(make_rows(2500))).with_label_prior(KnownComponents(labels))
    with pytest.raises(LabelError, match=r"row 2100 ") as caught:
        engine.bind(source).e_step(MIXTURE, MomentKind.FULL)
    assert caught.value.row == 2100


@pytest.mark.parametrize(
    "value", [np.zeros(N_ROWS, dtype=np.int64), [0, 1], "a", 3], ids=lambda value: str(type(value))
)
def test_a_label_prior_must_be_one(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"label_prior must be None, KnownComponents\(labels\)"):
        MemorySource.from_array(make_rows()).with_label_prior(value)
    with pytest.raises(ParameterError, match="label_prior must be"):
        HereSource(ChunkStream(make_rows())).with_label_prior(value)


@pytest.mark.parametrize(
    ("make_prior", "message"),
    [
        (lambda: KnownComponents(["a", "b"]), "labels must be integers"),  # type: ignore[arg-type]
        (lambda: KnownComponents(np.array([True, False])), "labels must be integers"),
        (lambda: KnownComponents(np.zeros((4, 1), dtype=np.int64)), r"one dimension.*\(4, 1\)"),
        (lambda: KnownComponents(np.array([0.0, 0.5])), r"row 1 .*0\.5"),
        (lambda: KnownComponents(np.array([0.0, np.nan])), r"row 1 .*nan"),
        (lambda: AllowedComponents(np.zeros((4, 2))), r"mask .*booleans.*float64"),
        (lambda: AllowedComponents(np.ones(4, dtype=bool)), r"mask .*\(4,\)"),
        (lambda: LogProbabilities(np.zeros(4)), r"values .*numbers.*\(4,\)"),
        (lambda: LogProbabilities(np.array([["a"]])), "values .*numbers"),
        (lambda: LogProbabilities([[0.0], [0.0, 1.0]]), "values .*numbers"),  # type: ignore[arg-type]
    ],
)
def test_arrays_of_the_wrong_kind_are_refused_when_the_prior_is_made(make_prior: Any, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        make_prior()


@every_engine
@pytest.mark.parametrize("labels", [[0, 1] * 20, [0.0, 1.0] * 20, np.array([0, 1] * 20, dtype=np.int8)], ids=str)
def test_lists_and_small_integers_are_labels(engine: AbstractEngine, labels: Any) -> None:
    source = MemorySource.from_array(make_rows())
    found = engine.bind(source.with_label_prior(KnownComponents(labels))).e_step(MIXTURE, MomentKind.FULL)
    np.testing.assert_allclose(found.moments.mass, [20.0, 20.0])


def test_the_fused_run_reads_no_label_that_is_no_component() -> None:
    source = MemorySource.from_array(make_rows()).with_label_prior(KnownComponents(np.full(N_ROWS, 5)))
    problem = Problem.from_source(source, Structure.from_name("VVV"), engine=CompiledEngine())
    start = Mixture(MIXTURE.weights, MIXTURE.centers, MIXTURE.covariance, problem.source.frame)
    with pytest.raises(LabelError, match="components from 0 to 1"):
        run_solver(EM(problem.covariance_estimator), start, problem, RelativeGainRule(1e-8, 50))
