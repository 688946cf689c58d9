"""Batches of a source of a user's own are checked before a fit, and results per row before they are returned."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaussmix import GaussianMixture, select
from gaussmix.core.batch import Batch
from gaussmix.covariance import Structure
from gaussmix.engines import AbstractEngine, NumpyEngine
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.errors import DataError, ParameterError, SourceError, WeightError
from gaussmix.model import Mixture, Problem, prediction
from gaussmix.solvers.initialization import initialize
from gaussmix.sources import AbstractSink, AbstractSource, ArraySink, MemorySource
from gaussmix.sources.base import CollectedRows
from gaussmix.sources.collecting import collect_all_or_distinct_rows

ROWS = np.random.default_rng(0).normal(size=(90, 2))
VVV = Structure.from_name("VVV")


@dataclass(frozen=True)
class BatchSource(AbstractSource):
    """A source of given batches, in this process."""

    batches: tuple[Batch, ...]
    n_columns: int = 2
    n_known_rows: int | None = None

    @property
    def n_features(self) -> int:
        return self.n_columns

    @property
    def n_rows(self) -> int | None:
        return self.n_known_rows

    def reduce(self, task: Callable[[Batch], Any]) -> Any:
        return reduce(add, map(task, self.batches))

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        return collect_all_or_distinct_rows(self, max_distinct_rows, hash_key)


def thirds(**changes: Any) -> tuple[Batch, ...]:
    """Three batches of 30 rows; the last one with changes."""
    first, second, last = (Batch(ROWS[start : start + 30], first_row=start) for start in (0, 30, 60))
    return first, second, replace(last, **changes)


def with_value(value: float) -> Any:
    rows = ROWS[60:].copy()
    rows[4, 1] = value
    return rows


BAD_BATCHES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "NaN": ({"raw_rows": with_value(np.nan)}, DataError, "NaN in row 64, column 1"),
    "infinity": ({"raw_rows": with_value(-np.inf)}, DataError, "infinity .* in row 64, column 1"),
    "one column": ({"raw_rows": ROWS[60:, :1]}, SourceError, r"batch at row 60 .*\(n, 2\).*shape \(30, 1\)"),
    "three columns": ({"raw_rows": np.ones((30, 3))}, SourceError, r"shape \(30, 3\)"),
    "list of rows": ({"raw_rows": ROWS[60:].tolist()}, SourceError, "type list"),
    "text": ({"raw_rows": ROWS[60:].astype(str)}, SourceError, "type <U"),
    "negative weight": ({"weights": np.linspace(1.0, -1.0, 30)}, WeightError, "not negative, but is -.* in row 75"),
    "NaN weight": ({"weights": np.full(30, np.nan)}, WeightError, "is nan in row 60"),
    "list of weights": ({"weights": [1.0] * 30}, SourceError, "weights of the batch at row 60 .* type list"),
    "too few weights": ({"weights": np.ones(29)}, SourceError, r"shape \(29,\)"),
    "position of the first batch": ({"first_row": 0}, SourceError, "first_row=0, but 60 rows came before it"),
    "a gap": ({"first_row": 61}, SourceError, "first_row=61"),
}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_a_bad_batch_is_refused_before_a_fit(name: str) -> None:
    changes, error, message = BAD_BATCHES[name]
    with np.errstate(all="raise"), pytest.raises(error, match=message):
        Problem.from_source(BatchSource(thirds(**changes)), VVV)


def test_good_batches_pass_and_rows_of_weight_zero_may_hold_anything() -> None:
    weights = np.ones(30)
    weights[4] = 0.0
    source = BatchSource(thirds(raw_rows=with_value(np.nan), weights=weights))
    assert Problem.from_source(source, VVV).total_weight == 89.0
    assert Problem.from_source(BatchSource(thirds()), VVV).n_rows == 90


@pytest.mark.parametrize("weights", [None, np.zeros(5)])
def test_a_source_without_rows_that_count_is_refused(weights: Any) -> None:
    rows = ROWS[:0] if weights is None else ROWS[:5]
    with pytest.raises(SourceError, match="no row of positive weight"):
        Problem.from_source(BatchSource((Batch(rows, weights),)), VVV)


@pytest.mark.parametrize("engine", [NumpyEngine(), CompiledEngine()], ids=lambda engine: engine.name)
@pytest.mark.parametrize("n_known_rows", [None, 90])
@pytest.mark.parametrize("predict", [prediction.hard_labels, prediction.responsibilities, prediction.component_scores])
def test_results_that_miss_a_row_are_refused(engine: AbstractEngine, n_known_rows: int | None, predict: Any) -> None:
    model = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [np.eye(2)] * 2)
    good = BatchSource(thirds(), n_known_rows=n_known_rows)
    expected = predict(model, MemorySource.from_array(ROWS), engine)
    np.testing.assert_allclose(predict(model, good, engine), expected)
    for first_row in (0, 30, 59, 61, 1000):
        with pytest.raises(SourceError, match="set first_row of every Batch"):
            predict(model, BatchSource(thirds(first_row=first_row), n_known_rows=n_known_rows), engine)


@pytest.mark.parametrize("n_known_rows", [60, 89, 91, 200])
def test_a_source_of_another_number_of_rows_than_it_says_is_refused(n_known_rows: int) -> None:
    model = Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)])
    with pytest.raises(SourceError, match=f"n_rows( is |=){n_known_rows}"):
        prediction.hard_labels(model, BatchSource(thirds(), n_known_rows=n_known_rows), NumpyEngine())


def test_a_sink_takes_blocks_in_any_order() -> None:
    sink = ArraySink(5)
    sink.write(3, np.array([3.0, 4.0]))
    assert sink.finish(((0, np.array([0.0, 1.0, 2.0])),)).tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_unknown_methods_and_engines_are_refused() -> None:
    source = MemorySource.from_array(ROWS)
    with pytest.raises(ParameterError, match=r"method must be one of kmeans, .* but is 'banana'"):
        initialize(Problem.from_source(source, VVV), "banana", 2, np.random.default_rng(0))
    with pytest.raises(ParameterError, match=r"engine must be .* or an engine object, but is 3"):
        Problem.from_source(source, VVV, engine=3)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"is the class NumpyEngine; make an object of it: NumpyEngine\(\)"):
        Problem.from_source(source, VVV, engine=NumpyEngine)  # type: ignore[arg-type]


@pytest.mark.parametrize("take", [lambda source: GaussianMixture(2).fit(source), select], ids=["fit", "select"])
def test_a_source_in_the_place_of_rows_names_the_route(take: Callable[[Any], Any]) -> None:
    with pytest.raises(DataError, match=r"BatchSource is a source, .* Problem\.from_source\(source, structure\)"):
        take(BatchSource(thirds()))


def test_the_recipe_in_the_architecture_runs() -> None:
    text = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text()
    names: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], names)
    assert names["labels"].shape == (1000,)
    assert names["result"].model.n_components == 3


class CountingSink(AbstractSink):
    """A sink that keeps no result, only how often each label occurs."""

    def __init__(self) -> None:
        self.counts = np.zeros(2, dtype=np.int64)

    def write(self, first_row: int, values: Any) -> tuple[()]:
        self.counts += np.bincount(values, minlength=2)
        return ()

    def finish(self, unstored_blocks: Any) -> Any:
        return self.counts


def test_predictions_write_to_a_sink_of_a_user() -> None:
    model = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [np.eye(2)] * 2)
    source, engine = BatchSource(thirds()), NumpyEngine()
    labels = prediction.hard_labels(model, source, engine)
    assert prediction.hard_labels(model, source, engine, CountingSink()).tolist() == np.bincount(labels).tolist()
    assert prediction.responsibilities(model, source, engine, ArraySink(90, (2,))).shape == (90, 2)
    assert prediction.logpdf_in_frame_units(model, source, engine, ArraySink(None)).shape == (90,)
