"""A search on Old Faithful for the tests of reports."""

from dataclasses import dataclass
from typing import Any

import pytest

import gaussmix
from gaussmix import Fit, Mixture, Selection


@dataclass(frozen=True)
class FittedSearch:
    """Rows and a search, with the best mixture and its fit."""

    rows: Any
    selection: Selection

    @property
    def mixture(self) -> Mixture:
        assert self.selection.best.mixture is not None
        return self.selection.best.mixture

    @property
    def fit(self) -> Fit:
        assert self.selection.best.fit is not None
        return self.selection.best.fit


@pytest.fixture(scope="session")
def fitted_search(faithful: Any) -> FittedSearch:
    """Return a search over three structures on Old Faithful, which selects EEE with 3 components."""
    search = gaussmix.select(
        faithful, [1, 2, 3, 4], ["EII", "EEE", "VVV"], n_starts=3, feature_names=["eruptions", "waiting"]
    )
    return FittedSearch(faithful, search)
