"""The parameter ``engine``: by name or as an object, in every estimator and search."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from gaussmix import (
    BayesianGaussianMixture,
    CapabilityError,
    GaussianMixture,
    KMeans,
    ParameterError,
    bootstrap_test,
    compare,
    cross_validate_components,
    select,
)
from gaussmix.engines import AbstractEngine, AbstractSession, NumpyEngine
from tests.estimators.conftest import draw_overlapping_rows

X = draw_overlapping_rows(2, n=60, d=2)


@dataclass(frozen=True)
class CountingEngine(AbstractEngine):
    """An engine that counts the sources it is bound to, and delegates to NumPy."""

    sources: list[int] = field(default_factory=list, compare=False)

    def bind(self, source: Any) -> AbstractSession:
        self.sources.append(source.n_features)
        return NumpyEngine().bind(source)


ESTIMATORS: dict[str, Callable[..., Any]] = {
    "GaussianMixture": lambda engine: GaussianMixture(3, random_state=0, engine=engine),
    "BayesianGaussianMixture": lambda engine: BayesianGaussianMixture(3, random_state=0, engine=engine),
    "KMeans": lambda engine: KMeans(3, random_state=0, engine=engine),
}
SEARCHES: dict[str, Callable[..., Any]] = {
    "select": lambda engine: select(X, [1, 2], "VVV", engine=engine),
    "cross_validate_components": lambda engine: cross_validate_components(X, [1, 2], n_folds=2, engine=engine),
    "bootstrap_test": lambda engine: bootstrap_test(X, max_components=1, n_bootstrap=2, engine=engine),
    "compare": lambda engine: compare(X, n_components=2, structures="VVV", solvers="em", engine=engine),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_names_give_one_answer(name: str) -> None:
    labels = [ESTIMATORS[name](engine).fit(X).predict(X) for engine in ("auto", "numpy", "compiled", NumpyEngine())]
    for other in labels[1:]:
        np.testing.assert_array_equal(other, labels[0])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_engine_object_sees_the_rows_of_fits_and_predictions(name: str) -> None:
    engine = CountingEngine()
    estimator = ESTIMATORS[name](engine).fit(X)
    n_fit = len(engine.sources)
    estimator.predict(X)
    assert 0 < n_fit < len(engine.sources)
    assert set(engine.sources) == {2}
    clone(estimator).fit(X)


@pytest.mark.parametrize("name", SEARCHES)
def test_an_engine_object_sees_the_rows_of_searches(name: str) -> None:
    engine = CountingEngine()
    SEARCHES[name](engine)
    assert engine.sources


@pytest.mark.parametrize("name", [*ESTIMATORS, *SEARCHES])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(
        ParameterError, match="engine must be one of auto, numpy, compiled, or an engine object, but is 'cuda'"
    ):
        if name in ESTIMATORS:
            ESTIMATORS[name]("cuda").fit(X)
        else:
            SEARCHES[name]("cuda")


def test_later_chunks_use_the_engine() -> None:
    engine = CountingEngine()
    mixture = GaussianMixture(2, random_state=0, engine=engine).partial_fit(X)
    n_first = len(engine.sources)
    mixture.partial_fit(X)
    assert len(engine.sources) > n_first


def test_stochastic_em_names_the_engine_that_it_needs() -> None:
    mixture = GaussianMixture(3, solver="sem", engine=CountingEngine(), random_state=0)
    with pytest.raises(
        CapabilityError,
        match=r"^solver='sem' needs an engine that is a BatchEngine, but has CountingEngine; use engine='auto'",
    ):
        mixture.fit(X)


@pytest.mark.parametrize("engine", ["gpu", NumpyEngine, 3, None, np.zeros(2)], ids=repr)
def test_what_is_no_engine_is_refused(engine: Any) -> None:
    with pytest.raises(ParameterError, match=r"engine must be .* or an engine object, but is"):
        GaussianMixture(2, engine=engine).fit(X)
