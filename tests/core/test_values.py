"""Small value classes: batches, label priors, precision roots, expectations, outcomes, traces."""

import dataclasses

import numpy as np
import pytest

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import AllowedComponents, KnownComponents, LogProbabilities
from gaussmix.core.moments import MomentKind, Moments, compute_group_moments, compute_moments
from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.statistics import Statistics

RNG = np.random.default_rng(0)
ROOTS: list[AbstractPrecisionRoot] = [
    DensePrecisionRoot(RNG.normal(size=(2, 3, 3))),
    SharedPrecisionRoot(RNG.normal(size=(3, 3))),
    DiagonalPrecisionRoot(RNG.uniform(1, 2, (2, 3))),
    SphericalPrecisionRoot(RNG.uniform(1, 2, 2)),
]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: type(root).__name__)
def test_whitening_is_multiplying_by_the_dense_root(root: AbstractPrecisionRoot) -> None:
    differences = RNG.normal(size=(5, 3))
    dense = root.to_dense(2, 3)
    assert dense.shape == (2, 3, 3)
    for k in range(2):
        np.testing.assert_allclose(root.whiten(differences, k), differences @ dense[k], rtol=1e-14)


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: type(root).__name__)
def test_condition_numbers_are_those_of_the_precisions(root: AbstractPrecisionRoot) -> None:
    dense = root.to_dense(2, 3)
    expected = np.linalg.cond(dense @ np.swapaxes(dense, 1, 2))
    np.testing.assert_allclose(root.covariance_condition_numbers(2), expected, rtol=1e-10)


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: type(root).__name__)
def test_only_dense_and_shared_roots_have_covariance_factors_none_by_default(root: AbstractPrecisionRoot) -> None:
    covariance_factors = [
        getattr(root, name) for name in ("covariance_factors", "covariance_factor") if hasattr(root, name)
    ]
    assert covariance_factors == ([None] if isinstance(root, DensePrecisionRoot | SharedPrecisionRoot) else [])


def test_known_component_excludes_all_others() -> None:
    batch = Batch(np.zeros((3, 1)), label_prior=KnownComponents(np.array([-1, 0, 2])))
    expected = [[0.0, 0.0, 0.0], [0.0, -np.inf, -np.inf], [-np.inf, -np.inf, 0.0]]
    np.testing.assert_array_equal(np.asarray(batch.label_log_prior(3)), expected)


def test_components_that_are_not_allowed_are_excluded() -> None:
    batch = Batch(np.zeros((2, 1)), label_prior=AllowedComponents(np.array([[True, False], [True, True]])))
    np.testing.assert_array_equal(np.asarray(batch.label_log_prior(2)), [[0.0, -np.inf], [0.0, 0.0]])


def test_log_probabilities_are_the_log_prior_and_no_prior_gives_none() -> None:
    log_probabilities = np.log([[0.25, 0.75]])
    batch = Batch(np.zeros((1, 1)), label_prior=LogProbabilities(log_probabilities))
    np.testing.assert_array_equal(np.asarray(batch.label_log_prior(2)), log_probabilities)
    assert Batch(np.zeros((1, 1))).label_log_prior(2) is None


def test_batch_has_row_count_and_row_slice() -> None:
    batch = Batch(np.zeros((3, 2)), first_row=10)
    assert (batch.n_rows, batch.row_slice) == (3, slice(10, 13))


FRAME = Frame(np.array([1, 0]), np.array([0.5, -1.0]), np.array([0, 3]))


def test_batch_without_frame_does_not_copy_float64_rows() -> None:
    stored = np.arange(6.0).reshape(3, 2)
    for batch in (Batch(stored), Batch(stored, np.ones(3), frame=Frame.identity(2))):
        assert np.shares_memory(batch.rows, stored)
        assert not batch.rows.flags.writeable
        assert batch.raw_rows.flags.writeable
    single = Batch(stored.astype(np.float32)).rows
    np.testing.assert_array_equal(single, stored)
    assert single.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", ">f8", "float16", "longdouble"])
def test_batch_transforms_rows_into_the_frame_once(dtype: str) -> None:
    stored = np.arange(6.0).reshape(3, 2).astype(dtype)
    batch = Batch(stored, frame=FRAME)
    np.testing.assert_array_equal(batch.rows, FRAME.transform_rows(stored.astype(np.float64)))
    assert batch.rows is batch.rows
    assert batch.rows.dtype == np.float64
    assert batch.rows.flags.c_contiguous
    assert batch.raw_rows is stored


@pytest.mark.parametrize("frame", [None, Frame.identity(2), FRAME])
def test_row_of_weight_zero_is_at_the_frame_center(frame: Frame | None) -> None:
    stored = np.full((3, 2), 1e308)
    stored[:2] = 1.0
    batch = Batch(stored, np.array([1.0, 0.5, 0.0]), frame=frame)
    expected = stored if frame is None else frame.transform_rows(stored[:2])
    np.testing.assert_array_equal(batch.rows, np.vstack([expected[:2], [[0.0, 0.0]]]))
    assert stored[2, 0] == 1e308


def test_sub_batch_has_weights_labels_codes_and_slice_of_its_rows() -> None:
    batch = Batch(
        np.arange(8.0).reshape(4, 2), np.arange(4.0), KnownComponents(np.arange(4)), 10, FRAME, np.arange(4)[:, None]
    )
    part = batch.sub_batch(1, 3)
    assert part.row_slice == slice(11, 13)
    np.testing.assert_array_equal(part.rows, batch.rows[1:3])
    np.testing.assert_array_equal(np.asarray(part.weights), [1.0, 2.0])
    assert isinstance(part.label_prior, KnownComponents)
    np.testing.assert_array_equal(part.label_prior.labels, [1, 2])
    np.testing.assert_array_equal(np.asarray(part.codes), [[1], [2]])
    assert batch.sub_batch(0, 9) is batch
    assert batch.sub_batch(3, 9).n_rows == 1


def test_expectations_add() -> None:
    moments = Moments(np.array([2.0]), np.array([[1.0]]), np.array([3.0]), MomentKind.TRACE)
    statistics = Statistics(moments)
    total = Expectation(statistics, -5.0, 0.5, -0.5, 2) + Expectation(statistics, -7.0, 0.25, -1.0, 3)
    assert (total.log_likelihood, total.entropy, total.n_rows, total.total_weight) == (-12.0, 0.75, 5, 4.0)
    assert total.total_log_max_responsibility == -1.5
    np.testing.assert_array_equal(total.moments.scatter, [6.0])


def test_quadratics_are_frozen() -> None:
    quadratics = Quadratics(np.zeros(2), np.zeros((2, 3)), ROOTS[0])
    assert (quadratics.n_components, quadratics.n_features) == (2, 3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        quadratics.offset = np.ones(2)  # type: ignore[misc]


@pytest.mark.parametrize("outcome", Outcome)
def test_outcomes_are_capitalized_sentences(outcome: Outcome) -> None:
    assert str(outcome) == outcome.value
    assert str(outcome)[0].isupper()
    assert str(outcome).endswith(".")


def test_length_of_a_trace_is_its_number_of_iterations() -> None:
    assert len(IterationTrace(np.zeros(4), np.zeros(4))) == 4


@pytest.mark.parametrize("kind", list(MomentKind))
@pytest.mark.parametrize("seed", range(2))
def test_moments_of_groups_are_those_of_their_responsibilities(kind: MomentKind, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = rng.normal(size=(40, 3)), rng.integers(-1, 3, 40)
    weights = rng.uniform(0.0, 2.0, 40) if seed else None
    responsibilities = (labels[:, None] == np.arange(4)) * (np.ones(40) if weights is None else weights)[:, None]
    found = compute_group_moments(rows, weights, labels, 4, kind)
    expected = compute_moments(rows, responsibilities, np.zeros((4, 3)), kind)
    for name in ("mass", "mean", "scatter"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12, atol=1e-13)
