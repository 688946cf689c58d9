"""Tables with classes for tests of classifiers: numbers that correlate, a skewed number, categories and gaps."""

from typing import Any, NamedTuple

import numpy as np

Columns = dict[str, Any]


class LabelledTable(NamedTuple):
    """Columns by name, and the class of each row (n,)."""

    columns: Columns
    classes: np.ndarray


def make_table(n_rows: int = 240, seed: int = 0, n_classes: int = 2, missing: float = 0.0) -> LabelledTable:
    """Return a table whose columns say something about the classes, which are named 'a', 'b', ..."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n_rows)
    age = rng.normal(40.0, 10.0, n_rows) + 4.0 * codes
    income = 2.0 * age + rng.normal(0.0, 8.0, n_rows)
    spent = np.exp(rng.normal(3.0, 1.0, n_rows) + 0.6 * (codes == 1))
    likelihood = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])[(codes > 0).astype(int)]
    plan = np.array(["basic", "plus", "pro"], dtype=object)[
        (rng.random(n_rows)[:, None] > np.cumsum(likelihood, axis=1)[:, :-1]).sum(axis=1)
    ]
    online = np.where(rng.random(n_rows) < 0.3 + 0.3 * (codes == n_classes - 1), "yes", "no").astype(object)
    columns = {"age": age, "income": income, "spent": spent, "plan": plan, "online": online}
    for name, cells in columns.items():
        is_missing = np.random.default_rng([seed, len(name)]).random(n_rows) < missing
        cells[is_missing] = np.nan if cells.dtype.kind == "f" else None
        columns[name] = cells
    names = np.array([chr(ord("a") + label) for label in range(n_classes)])
    return LabelledTable(columns, names[codes])


def select_rows(columns: Columns, rows: np.ndarray) -> Columns:
    """Return some rows of a table."""
    return {name: np.asarray(cells)[rows] for name, cells in columns.items()}
