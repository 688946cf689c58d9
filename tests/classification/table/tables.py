"""Tables for tests: rows of customers, as dicts of columns, and helpers that compare encoded rows."""

from typing import Any

import numpy as np

from gaussmix.classification import EncodedRows

Columns = dict[str, Any]


def make_customers(n_rows: int = 600, seed: int = 0) -> tuple[Columns, np.ndarray]:
    """Return a table of customers with text, flags, counts and money, and the class of each row."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, n_rows)
    months = np.ceil(rng.gamma(1.5, 12.0, n_rows) * np.where(target, 0.5, 1.0))
    price = np.round(rng.normal(60.0, 15.0, n_rows) + 8.0 * target, 2)
    table = {
        "months": months,
        "price": price,
        "contract": rng.choice(np.array(["monthly", "one year", "two years"], dtype=object), n_rows),
        "paperless": rng.integers(0, 2, n_rows).astype(bool),
        "calls": rng.integers(0, 5, n_rows),
    }
    return table, target


def remove_cells(table: Columns, fraction: float, seed: int = 0) -> Columns:
    """Return the table with a fraction of all cells missing: NaN in columns of floats, None elsewhere."""
    rng = np.random.default_rng([seed, 1])  # not the numbers that made the table
    removed = {}
    for name, cells in table.items():
        is_missing = rng.random(len(cells)) < fraction
        is_float = np.asarray(cells).dtype.kind == "f"
        column = np.array(cells, dtype=np.float64 if is_float else object)
        column[is_missing] = np.nan if is_float else None
        removed[name] = column
    return removed


def assert_equal_rows(first: EncodedRows, second: EncodedRows, tolerance: float = 0.0) -> None:
    """Assert that two tables are encoded alike."""
    np.testing.assert_array_equal(first.codes, second.codes)
    np.testing.assert_allclose(first.numeric, second.numeric, rtol=tolerance, atol=tolerance)
