"""Passes that are prepared once for a model, and the packing of its roots."""

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gaussmix import BayesianGaussianMixture, GaussianMixture
from gaussmix.core.batch import Batch
from gaussmix.core.precision_roots import DensePrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.compiled import CompiledEngine, packing
from gaussmix.types import ND


def draw_rows(seed: int, n_rows: int = 300, n_features: int = 3) -> ND:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, n_features)) + 5.0 * rng.integers(2, size=(n_rows, 1))


@pytest.mark.parametrize("estimator", [GaussianMixture(2, random_state=0), BayesianGaussianMixture(n_components=2)])
def test_a_fitted_model_has_one_object_of_quadratics_until_it_is_fitted_again(
    estimator: GaussianMixture | BayesianGaussianMixture,
) -> None:
    rows = draw_rows(0)
    first = estimator.fit(rows)._scoring_model().to_quadratics()
    labels = estimator.predict(rows)
    assert estimator._scoring_model().to_quadratics() is first
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict(rows), labels)
    assert again._scoring_model().to_quadratics() is not first
    assert b"Quadratics" not in pickle.dumps(again)
    assert estimator.fit(rows + 1.0)._scoring_model().to_quadratics() is not first


def test_a_pass_is_prepared_once_and_ends_with_its_quadratics() -> None:
    engine, batch = CompiledEngine(), Batch(draw_rows(1))
    quadratics = Quadratics(np.zeros(2), np.zeros((2, 3)), DensePrecisionRoot(np.array([np.eye(3)] * 2)))
    assert engine._prepare_pass(quadratics, (False, True)) is engine._prepare_pass(quadratics, (False, True))
    assert engine._prepare_pass(quadratics, (False, True)) is not engine._prepare_pass(quadratics, (True, True))
    engine.best_scores(quadratics, batch)
    engine.compute_responsibilities(quadratics, batch)
    assert len(engine._prepared_passes) == 1
    assert len(pickle.loads(pickle.dumps(engine))._prepared_passes) == 0
    del quadratics
    gc.collect()
    assert len(engine._prepared_passes) == 0


def test_threads_may_share_a_prepared_pass() -> None:
    rows = draw_rows(2, 4000)
    mixture = GaussianMixture(4, random_state=0).fit(rows)
    parts = np.array_split(rows, 40)
    expected = [(mixture.predict(part), mixture.predict_proba(part), mixture.score_samples(part)) for part in parts]
    again = pickle.loads(pickle.dumps(mixture))
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda p: (again.predict(p), again.predict_proba(p), again.score_samples(p)), parts)
        for one, other in zip(found, expected, strict=True):
            for values, expected_values in zip(one, other, strict=True):
                np.testing.assert_array_equal(values, expected_values)


@pytest.mark.parametrize("n_columns", [4, 12, 96, 100, 132])
def test_panels_are_the_same_copied_one_after_another_or_by_positions(
    n_columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    upper = np.triu(np.random.default_rng(n_columns).normal(size=(3, n_columns - 1, n_columns - 1)))
    monkeypatch.setattr(packing, "_MAX_COLUMNS_FOR_POSITIONS", 0)
    copied = packing.pack_triangles(upper, n_columns, has_few_columns=False)
    monkeypatch.setattr(packing, "_MAX_COLUMNS_FOR_POSITIONS", 10**6)
    np.testing.assert_array_equal(copied, packing.pack_triangles(upper, n_columns, has_few_columns=False))


@pytest.mark.parametrize("layout", ["C", "F", "sliced", "read-only"])
def test_addresses_of_arrays_are_those_that_numpy_names(layout: str) -> None:
    from gaussmix.kernels.packed_arguments import _array_address

    values = np.arange(24.0)
    values = {"C": values, "F": np.asfortranarray(values), "sliced": values[3:], "read-only": values.view()}[layout]
    values.flags.writeable = layout != "read-only"
    assert _array_address(values) == values.ctypes.data
