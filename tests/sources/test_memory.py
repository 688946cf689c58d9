"""What only rows in memory promise: they are looked at where they lie."""

import dataclasses

import numpy as np
import pytest

from gaussmix.core.frame import Frame
from gaussmix.sources import MemorySource

ROWS = np.arange(12.0).reshape(6, 2)


def test_nothing_is_copied_but_a_block_that_a_frame_moves() -> None:
    weights = np.ones(6)
    source = MemorySource.of(ROWS, weights).framed(Frame.identity(2)).hinted(np.zeros(6, dtype=np.int64))
    assert source.rows is ROWS
    assert source.weights is weights
    assert (source.n_rows, source.n_features) == (6, 2)
    own = Frame(np.ones(2, dtype=np.int64), np.zeros(2), np.zeros(2, dtype=np.int64))
    for frame, is_copied in ((Frame.identity(2), False), (own, True)):
        batch = source.framed(frame).reduce(lambda batch: (batch,))[0]
        assert np.shares_memory(batch.stored, ROWS)
        assert np.shares_memory(batch.rows, ROWS) != is_copied


def test_the_users_own_units_are_the_first_frame() -> None:
    source = MemorySource.of(ROWS)
    assert source.weights is None
    np.testing.assert_array_equal(source.gather()[0], ROWS)
    assert source.frame.log_volume == 0.0


def test_a_source_does_not_change() -> None:
    source = MemorySource.of(ROWS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        source.weights = np.ones(6)  # type: ignore[misc]
    source.hinted(np.zeros(6, dtype=np.int64))
    assert source.hints is None
