"""What every source owes: the same batches of the same rows, whatever they are stored as."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import KnownComponents, LogProbabilities
from gaussmix.core.threads import threads
from gaussmix.sources import AbstractSource, MemorySource
from gaussmix.types import AnyArray, Array
from tests.contracts.toys import ChunkStream, StreamSource

# A new source is a row here and inherits every test of the socket. Sources whose tasks stay in this process also
# stand in the second table and inherit what threads and arrays shared with the caller bring.
SOURCES: dict[str, Callable[[AnyArray, Array | None], AbstractSource]] = {
    "memory": MemorySource.from_array,
    "stream in another process": lambda rows, weights: StreamSource(ChunkStream(rows, weights)),
}
SOURCES_IN_THIS_PROCESS = {"memory": MemorySource.from_array}

every_source = pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
every_source_in_this_process = pytest.mark.parametrize(
    "make", SOURCES_IN_THIS_PROCESS.values(), ids=SOURCES_IN_THIS_PROCESS
)

N_ROWS, N_FEATURES = 25_000, 3  # more than one block


def make_rows(n_rows: int = N_ROWS, n_features: int = N_FEATURES) -> Array:
    """Rows that float32 holds exactly."""
    drawn = np.random.default_rng(0).normal(size=(n_rows, n_features))
    return np.asarray(drawn, dtype=np.float32).astype(np.float64)


def batches(source: AbstractSource) -> list[Batch]:
    """All batches in the order in which they come; tuples add, as sums do."""
    return list(source.reduce(take_batch))


def take_batch(batch: Batch) -> tuple[Batch]:
    return (batch,)


def count_rows(batch: Batch) -> int:
    return batch.n_rows


def sum_rows(batch: Batch) -> Array:
    return np.asarray(batch.rows.sum(axis=0))


def sum_weights(batch: Batch) -> float:
    assert batch.weights is not None
    return float(batch.weights.sum())


def make_frame(n_features: int) -> Frame:
    return Frame(np.zeros(n_features, dtype=np.int64), np.full(n_features, 0.25), np.arange(n_features) - 1)


def make_read_only(rows: Array) -> Array:
    copy = rows.copy()
    copy.flags.writeable = False
    return copy


def make_strided(rows: Array) -> Array:
    wide = np.full((2 * len(rows), 2 * rows.shape[1]), np.nan)
    wide[::2, ::2] = rows
    return wide[::2, ::2]


LAYOUTS: dict[str, Callable[[Array], AnyArray]] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": make_strided,
    "backwards": lambda rows: np.ascontiguousarray(rows[::-1])[::-1],
    "read-only": make_read_only,
    "big-endian": lambda rows: rows.astype(">f8"),
    "float32": lambda rows: rows.astype(np.float32),
    "big-endian float32": lambda rows: rows.astype(">f4"),
}


@every_source
def test_batches_know_how_many_rows_came_before_them(make: Any) -> None:
    n_rows = 0
    for batch in batches(make(make_rows(), None)):
        assert batch.first_row == n_rows
        n_rows += batch.n_rows
    assert n_rows == N_ROWS


@every_source_in_this_process
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("framed", [False, True])
def test_layout_and_float_type_change_nothing(make: Any, layout: str, framed: bool) -> None:
    rows = make_rows()
    frame = make_frame(N_FEATURES) if framed else Frame.identity(N_FEATURES)
    expected = batches(make(rows, None).with_frame(frame))
    found = batches(make(LAYOUTS[layout](rows), None).with_frame(frame))
    assert len(found) == len(expected) > 1
    for batch, other in zip(found, expected, strict=True):
        assert batch.rows.dtype == np.float64
        assert batch.rows.dtype.isnative
        assert batch.first_row == other.first_row
        np.testing.assert_array_equal(batch.rows, other.rows)


@every_source
def test_batches_follow_one_another_in_the_order_of_the_rows(make: Any) -> None:
    rows = make_rows()
    found = batches(make(rows, None))
    np.testing.assert_array_equal(np.concatenate([batch.rows for batch in found]), rows)
    position = 0
    for batch in found:
        assert batch.first_row == position
        assert batch.row_slice == slice(position, position + batch.n_rows)
        position += batch.n_rows
    assert position == N_ROWS


@every_source
def test_borders_depend_on_the_shape_alone(make: Any) -> None:
    rows, weights = make_rows(), np.random.default_rng(1).integers(0, 3, N_ROWS).astype(float)
    plain = [batch.n_rows for batch in batches(make(rows, None))]
    prior = KnownComponents(np.full(N_ROWS, -1))
    for source in (
        make(2 * rows, None),
        make(rows.astype(np.float32), weights),
        make(rows, weights).with_label_prior(prior),
        make(rows, None).with_frame(make_frame(N_FEATURES)),
    ):
        assert [batch.n_rows for batch in batches(source)] == plain


@every_source_in_this_process
@pytest.mark.parametrize("n_features", [1, 7, 2000])
def test_no_batch_is_empty_or_huge(make: Any, n_features: int) -> None:
    n_rows = 300 if n_features == 2000 else N_ROWS
    sizes = [batch.n_rows for batch in batches(make(make_rows(n_rows, n_features), None))]
    assert min(sizes) > 0
    assert max(sizes) <= max(64, 2**21 // (8 * n_features))
    assert sum(sizes) == n_rows


@every_source
def test_sums_are_sums_over_the_rows(make: Any) -> None:
    rows, weights = make_rows(), np.random.default_rng(1).uniform(0, 2, N_ROWS)
    source = make(rows, weights)
    assert source.n_rows in (None, len(rows))
    assert source.n_features == rows.shape[1]
    assert source.reduce(count_rows) == N_ROWS
    np.testing.assert_allclose(source.reduce(sum_rows), rows.sum(axis=0), rtol=1e-9)
    total = source.reduce(sum_weights)
    assert total == pytest.approx(weights.sum(), rel=1e-12)


@every_source
def test_a_pass_can_be_repeated_bit_for_bit(make: Any) -> None:
    source = make(make_rows(), None)
    first, second = (source.reduce(sum_rows) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@every_source
def test_weights_and_label_priors_stay_with_their_rows(make: Any) -> None:
    rows, weights = make_rows(), np.arange(N_ROWS, dtype=float)
    soft = LogProbabilities(np.log(np.random.default_rng(2).dirichlet(np.ones(2), N_ROWS)))
    for prior in (KnownComponents(np.arange(N_ROWS) % 2), soft):
        expected = prior.log_prior(2)
        for batch in batches(make(rows, weights).with_label_prior(prior)):
            np.testing.assert_array_equal(batch.weights, weights[batch.row_slice])
            np.testing.assert_array_equal(batch.label_log_prior(2), expected[batch.row_slice])
    assert all(
        batch.label_prior is None
        for batch in batches(make(rows, weights).with_label_prior(soft).with_label_prior(None))
    )


@every_source
def test_a_frame_changes_the_numbers_and_nothing_else(make: Any) -> None:
    rows, weights = make_rows(), 1.0 + np.arange(N_ROWS)
    source, frame = make(rows, weights).with_label_prior(KnownComponents(np.arange(N_ROWS))), make_frame(N_FEATURES)
    framed = source.with_frame(frame)
    assert framed.frame is frame
    for plain, working in zip(batches(source), batches(framed), strict=True):
        np.testing.assert_array_equal(working.rows, np.ldexp(plain.rows - 0.25, [-1, 0, 1]))
        np.testing.assert_array_equal(working.weights, plain.weights)
        np.testing.assert_array_equal(working.label_prior.labels, plain.label_prior.labels)
    again = batches(framed.with_frame(Frame.identity(N_FEATURES)))
    np.testing.assert_array_equal(again[0].rows, batches(source)[0].rows)


@every_source
def test_gathers_all_rows_in_their_frame(make: Any) -> None:
    rows, frame = make_rows(), make_frame(N_FEATURES)
    gathered, weights = make(rows, None).with_frame(frame).collect(None)
    np.testing.assert_array_equal(gathered, frame.transform_rows(rows))
    np.testing.assert_array_equal(weights, np.ones(N_ROWS))
    given = 1.0 + np.arange(N_ROWS)
    np.testing.assert_array_equal(make(rows, given).collect(None)[1], given)


@every_source
@pytest.mark.parametrize("value", [1e308, -1e308])
def test_rows_of_weight_zero_cannot_overflow(make: Any, value: float) -> None:
    """They keep their place, and stand at the centre."""
    rows, weights = make_rows(100), np.ones(100)
    rows[[3, 77]], weights[[3, 77]] = value, 0.0
    far = Frame(np.full(3, 400), np.zeros(3), np.full(3, 600))
    (batch,) = batches(make(rows, weights).with_frame(far))
    assert batch.n_rows == 100
    assert (batch.rows[[3, 77]] == 0).all()
    assert np.isfinite(make(rows, weights).with_frame(make_frame(3)).collect(None)[0]).all()


@every_source_in_this_process
def test_what_the_caller_owns_is_never_written(make: Any) -> None:
    """Batches are read-only: the rows of an identity frame are the caller's own."""
    rows, weights = make_rows(), np.ones(N_ROWS)
    kept = rows.copy()
    for source in (make(rows, weights), make(rows, weights).with_frame(make_frame(N_FEATURES))):
        for name in ("raw_rows", "rows"):

            def spoil(batch: Batch, name: str = name) -> int:
                with pytest.raises(ValueError, match="read-only"):
                    getattr(batch, name)[:] = -1.0
                return 0

            source.reduce(spoil)
    np.testing.assert_array_equal(rows, kept)
    assert rows.flags.writeable


@every_source
@pytest.mark.parametrize("n_rows", [1, 2])
def test_few_rows_make_one_batch(make: Any, n_rows: int) -> None:
    (only,) = batches(make(make_rows(n_rows), None))
    assert only.n_rows == n_rows


# -- threads ----------------------------------------------------------------------------------------


@every_source_in_this_process
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_sums_are_the_same_bit_for_bit_for_any_number_of_threads(make: Any, count: int) -> None:
    rows = make_rows() * np.geomspace(1e-6, 1e6, N_ROWS)[:, None]
    source = make(rows, np.random.default_rng(1).uniform(0, 2, N_ROWS)).with_frame(make_frame(N_FEATURES))

    def of(batch: Batch) -> Array:
        return np.append(batch.rows.sum(axis=0), (batch.weights[:, None] * batch.rows**2).sum(axis=0))

    with threads(1):
        expected, order = source.reduce(of), [batch.first_row for batch in batches(source)]
    with threads(count):
        for _ in range(5):
            np.testing.assert_array_equal(source.reduce(of), expected)
            assert [batch.first_row for batch in batches(source)] == order


@every_source_in_this_process
@pytest.mark.parametrize("count", [1, 2, 8])
def test_the_first_batch_that_fails_is_the_one_that_is_told_of(make: Any, count: int) -> None:
    source = make(make_rows(), None)
    starts = [batch.first_row for batch in batches(source)]

    def fail(batch: Batch) -> int:
        if batch.first_row in starts[1::2]:
            raise ValueError(f"at {batch.first_row}")
        return 1

    with threads(count), pytest.raises(ValueError, match=f"^at {starts[1]}$"):
        source.reduce(fail)
    assert source.reduce(count_rows) == N_ROWS


@every_source_in_this_process
def test_a_pass_within_a_pass(make: Any) -> None:
    source = make(make_rows(), None)
    n_batches = len(batches(source))
    with threads(3):
        assert source.reduce(lambda _: source.reduce(count_rows)) == n_batches * N_ROWS


@every_source_in_this_process
def test_two_passes_at_once(make: Any) -> None:
    source = make(make_rows(), None)
    expected = source.reduce(sum_rows).tolist()
    found = []

    def ask() -> None:
        with threads(2):
            found.append([source.reduce(sum_rows).tolist() for _ in range(10)])

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30.0)
    assert found == [[expected] * 10] * 3
