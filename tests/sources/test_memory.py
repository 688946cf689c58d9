"""What only rows in memory promise: they are looked at where they lie."""

import dataclasses

import numpy as np
import pytest

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import KnownComponents
from gaussmix.sources import MemorySource

ROWS = np.arange(12.0).reshape(6, 2)


def test_nothing_is_copied_but_a_block_that_a_frame_moves() -> None:
    weights = np.ones(6)
    source = (
        MemorySource.from_array(ROWS, weights)
        .with_frame(Frame.identity(2))
        .with_label_prior(KnownComponents(np.zeros(6, dtype=np.int64)))
    )
    assert source.rows is ROWS
    assert source.weights is weights
    assert (source.n_rows, source.n_features) == (6, 2)
    own = Frame(np.ones(2, dtype=np.int64), np.zeros(2), np.zeros(2, dtype=np.int64))
    for frame, is_copied in ((Frame.identity(2), False), (own, True)):
        batch = source.with_frame(frame).reduce(lambda batch: (batch,))[0]
        assert np.shares_memory(batch.raw_rows, ROWS)
        assert np.shares_memory(batch.rows, ROWS) != is_copied


def test_the_users_own_units_are_the_first_frame() -> None:
    source = MemorySource.from_array(ROWS)
    assert source.weights is None
    np.testing.assert_array_equal(source.collect(None)[0], ROWS)
    assert source.frame.log_abs_det_jacobian == 0.0


def test_a_source_does_not_change() -> None:
    source = MemorySource.from_array(ROWS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.weights = np.ones(6)  # type: ignore[misc]
    source.with_label_prior(KnownComponents(np.zeros(6, dtype=np.int64)))
    assert source.label_prior is None


def sizes(n_rows: int, n_features: int) -> list[int]:
    rows = np.broadcast_to(np.float32(0.0), (n_rows, n_features))
    return list(MemorySource.from_array(rows).reduce(lambda batch: (batch.n_rows,)))


@pytest.mark.parametrize(
    ("n_rows", "n_features", "n_blocks"),
    [
        (2000, 2, 1),
        (16_383, 1, 1),
        (16_384, 1, 2),
        (8191, 2, 1),
        (8192, 2, 2),
        (4095, 4, 1),
        (4096, 4, 2),
        (4096, 8, 2),
        (100_000, 2, 16),
        (200_000, 8, 16),
        (20_000, 128, 10),  # of 16 d rows, or of two megabytes
        (5_000_000, 8, 153),
        (1_000_000, 2, 16),
    ],
)
def test_blocks_are_enough_to_share_out_and_small_enough_to_hold(n_rows: int, n_features: int, n_blocks: int) -> None:
    found = sizes(n_rows, n_features)
    assert len(found) == n_blocks
    assert len(set(found[:-1])) <= 1
    assert 0 < found[-1] <= found[0]
    assert len(found) == 1 or found[0] % 8 == 0
    assert len(found) == 1 or 8 * found[0] * n_features <= 2**21 + 64 * n_features


class _RowCount:
    """A task that collects the number of rows of each batch and prefers batches of ``n_preferred_rows``."""

    def __init__(self, n_preferred_rows: int) -> None:
        self.n_preferred_rows = n_preferred_rows

    def __call__(self, batch: Batch) -> tuple[int, ...]:
        return (batch.n_rows,)


@pytest.mark.parametrize(
    ("n_preferred_rows", "n_blocks"), [(0, 153), (1, 153), (50_000, 100), (100_000, 50), (10**9, 16)]
)
def test_a_task_that_prefers_large_batches_gets_them_while_threads_stay_busy(
    n_preferred_rows: int, n_blocks: int
) -> None:
    source = MemorySource.from_array(np.broadcast_to(np.float32(0.0), (5_000_000, 8)))
    found = source.reduce(_RowCount(n_preferred_rows))
    assert sum(found) == 5_000_000
    assert len(found) == n_blocks
    assert sizes(5000, 2) == list(MemorySource.from_array(np.zeros((5000, 2))).reduce(_RowCount(10**9)))
