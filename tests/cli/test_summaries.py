"""Summaries of a fit and of a search."""

import numpy as np
import pytest

from gaussmix import select
from gaussmix.cli import summaries


@pytest.mark.parametrize(
    ("uncertainty", "sentence"),
    [
        ([0.0, 0.1], "Every row belongs to its component with a probability of at least 0.8."),
        ([0.3, 0.1], "1 of 2 rows has no component with a probability of at least 0.8."),
        ([0.3, 0.5], "2 of 2 rows have no component with a probability of at least 0.8."),
    ],
)
def test_number_of_uncertain_rows(uncertainty: list[float], sentence: str) -> None:
    assert summaries.describe_row_certainty(np.array(uncertainty), 2) == sentence


def test_one_component_is_certain() -> None:
    assert summaries.describe_row_certainty(np.zeros(3), 1) == "All rows belong to the one component."


def test_means_far_from_zero_keep_distinct_digits() -> None:
    rows = 1e9 + np.concatenate([np.arange(20.0), 100 + np.arange(20.0)])[:, None]
    mixture = select(rows, 2, "full").best.mixture
    assert mixture is not None
    means = summaries.format_component_table(mixture).splitlines()[-1].split()[2:]
    assert [float(mean) for mean in means] == pytest.approx(mixture.means[:, 0], abs=0.5, rel=0)
    assert len(set(means)) == 2


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_degenerate_searches_give_warnings() -> None:
    regular = select(np.arange(30.0)[:, None], 1, "full")
    assert summaries.best_candidate_warnings(regular) == []
    degenerate = select(np.repeat([[0.0], [1.0]], 5, axis=0), 2, "full")
    assert any("every candidate is degenerate" in warning for warning in summaries.best_candidate_warnings(degenerate))
