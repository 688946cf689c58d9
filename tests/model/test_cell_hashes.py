"""Hashes of cells: compiled code gives NumPy's, and the values of a row alone decide."""

from dataclasses import replace

import numpy as np
import pytest

from gaussmix.core.frame import ColumnRange
from gaussmix.core.random_numbers import splitmix64
from gaussmix.model.cell_hashes import CellHasher, RowHasher
from gaussmix.types import ND

SCALES = [1.0, 1e-200, 1e200, 1e-300]


def draw_rows(seed: int, n_rows: int, n_columns: int, scale: float = 1.0) -> ND:
    rows = scale * np.random.default_rng(seed).normal(size=(n_rows, n_columns))
    rows[:, 0] = rows[0, 0]  # a constant column
    return rows


def make_hasher(rows: ND, seed: int) -> CellHasher:
    multipliers = np.random.default_rng(seed).integers(2**64, size=rows.shape[1], dtype=np.uint64) | np.uint64(1)
    return CellHasher.from_column_range(ColumnRange.from_rows(rows), multipliers, True)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n_columns", [1, 2, 3, 10, 33])
def test_compiled_code_gives_the_hashes_of_numpy(n_columns: int, scale: float) -> None:
    for seed in range(5):
        rows = draw_rows(seed, 501, n_columns, scale)
        hasher = make_hasher(rows, seed)
        compiled, plain = hasher.hash_rows(rows), replace(hasher, uses_compiled_code=False).hash_rows(rows)
        np.testing.assert_array_equal(compiled, plain)
        assert compiled.dtype == plain.dtype == np.uint64
        np.testing.assert_array_equal(hasher.hash_rows(np.asfortranarray(rows)), plain)


def test_a_hash_is_that_of_the_sum_of_cell_numbers_times_multipliers() -> None:
    rows = np.array([[0.0, -1.0], [1.0, 1.0], [0.5, 0.0]])
    multipliers = np.array([3, 2**63 + 5], dtype=np.uint64)
    found = CellHasher.from_column_range(ColumnRange.from_rows(rows), multipliers, True).hash_rows(rows)
    cells = [(0, 0), (2**27, 2**27), (2**26, 2**26)]
    keys = [(3 * first + (2**63 + 5) * second) % 2**64 for first, second in cells]
    np.testing.assert_array_equal(found, splitmix64(np.array(keys, dtype=np.uint64)))


@pytest.mark.parametrize("uses_compiled_code", [False, True])
def test_rounding_leaves_hashes_and_another_value_changes_them(uses_compiled_code: bool) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 4))
    hasher = replace(make_hasher(rows, 0), uses_compiled_code=uses_compiled_code)
    hashes = hasher.hash_rows(rows)
    assert (hasher.hash_rows(rows * (1.0 + 2.0**-50)) == hashes).mean() > 0.999
    assert len(np.unique(np.concatenate([hashes, hasher.hash_rows(rows + 1e-3)]))) == 600


def test_hashes_of_values_are_the_same_for_both_zeros_alone() -> None:
    multipliers = np.array([5, 7], dtype=np.uint64)
    rows = np.array([[0.0, 1.0], [-0.0, 1.0], [5e-324, 1.0], [1.0, 0.0]])
    hashes = RowHasher(multipliers).hash_rows(rows)
    assert hashes[0] == hashes[1]
    assert len(np.unique(hashes)) == 3
