"""The summary text agrees with the tables."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixture, Mixture, Selection
from gaussmix.report import describe_mixture
from gaussmix.selection.criteria import describe_bic_evidence
from tests.report.conftest import FittedSearch


def replace_thin_spaces(text: str) -> str:
    return text.replace("\u202f", " ")


def test_the_whole_paragraph(fitted_search: FittedSearch) -> None:
    words = replace_thin_spaces(
        describe_mixture(
            fitted_search.mixture, fitted_search.rows, fit=fitted_search.fit, selection=fitted_search.selection
        )
    )
    assert words.startswith(
        "The 272 rows of 2 columns are described by 3 Gaussian groups of structure EEE (tied): "
        "one size, shape and orientation for all"
    )
    assert "Their weights are 35.6 %, 16.9 % and 47.5 %." in words
    assert "with a probability above 95 %" in words
    assert "Of 12 fitted candidates, EEE (tied) with 3 components has the lowest BIC" in words
    assert "Converged: the last gain was below the tolerance." in words


def test_search_and_fit_are_left_out_where_not_given(fitted_search: FittedSearch) -> None:
    words = describe_mixture(fitted_search.mixture, fitted_search.rows)
    assert "candidates" not in words
    assert "converged" not in words


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (0.0, "bare mention"),
        (1.99, "bare mention"),
        (2.0, "positive"),
        (6.0, "strong"),
        (10.0, "strong"),
        (10.1, "very strong"),
    ],
)
def test_evidence_in_the_words_of_kass_and_raftery(difference: float, words: str) -> None:
    assert words in describe_bic_evidence(difference)


def test_evidence_follows_the_runner_up(fitted_search: FittedSearch) -> None:
    search = fitted_search.selection
    second = search.runner_up
    assert second is not None
    for gap, said in ((1.0, "bare mention"), (8.0, "“strong”"), (50.0, "“very strong”")):
        moved = replace(second, criteria={"bic": search.best.criteria["bic"] + gap})
        words = describe_mixture(
            fitted_search.mixture, fitted_search.rows, selection=Selection("bic", (search.best, moved), 0.0)
        )
        assert said in words
        assert f"{gap:.3g}" in words


def test_other_criteria_are_not_read_as_evidence(faithful: Any) -> None:
    search = gaussmix.select(faithful, [2, 3], ["EEE", "VVV"], criterion="icl", n_starts=1)
    words = describe_mixture(search.best.mixture, faithful, selection=search)  # type: ignore[arg-type]
    assert "has the lowest ICL" in words
    assert "Kass" not in words


def test_a_lone_candidate_has_no_runner_up(faithful: Any) -> None:
    search = gaussmix.select(faithful, 2, "EEE", n_starts=1)
    assert "no other valid candidate" in describe_mixture(search.best.mixture, faithful, selection=search)  # type: ignore[arg-type]


def test_a_degenerate_choice_is_warned_of() -> None:
    rows = np.array([[0.0, 1.0], [1.0, 0.0]])
    search = gaussmix.select(rows, 2, n_starts=1)
    words = describe_mixture(search.best.mixture, rows, fit=search.best.fit, selection=search)  # type: ignore[arg-type]
    assert "treat it with caution" in words
    assert words.count("a covariance needs") <= 1
    assert "at the variance floor" in words or "rows that a covariance needs" in words


def test_one_group_is_not_said_to_be_certain(faithful: Any) -> None:
    words = describe_mixture(GaussianMixture(1).fit(faithful).model_, faithful)
    assert "one Gaussian group" in words
    assert "probability" not in words


def test_many_shares_become_a_range() -> None:
    means = np.arange(12.0)[:, None] * 9
    mixture = Mixture.from_parameters(np.full(12, 1 / 12), means, np.ones((12, 1, 1)))
    words = replace_thin_spaces(describe_mixture(mixture, means))
    assert "Their weights range from 8.3 % to 8.3 %." in words
    assert "of one column" in words


def test_weights_are_named(fitted_search: FittedSearch) -> None:
    words = replace_thin_spaces(
        describe_mixture(fitted_search.mixture, fitted_search.rows, sample_weight=np.full(272, 2.0))
    )
    assert "The 272 rows (of total weight 544.0) of 2 columns" in words


def test_one_row_is_told_in_the_singular(fitted_search: FittedSearch) -> None:
    for row in (0, int(fitted_search.mixture.uncertainty(fitted_search.rows).argmax())):
        words = replace_thin_spaces(describe_mixture(fitted_search.mixture, fitted_search.rows[row : row + 1]))
        assert "The 1 row of 2 columns is described by" in words
        assert "The row belongs to its group with a probability" in words
        assert ("probability above 95 %" in words) == (
            fitted_search.mixture.uncertainty(fitted_search.rows)[row] < 0.05
        )


def test_shares_are_of_rows_or_of_weight(fitted_search: FittedSearch) -> None:
    assert "of the rows belong to their group" in describe_mixture(fitted_search.mixture, fitted_search.rows)
    assert "of the weight belongs to a group" in describe_mixture(
        fitted_search.mixture, fitted_search.rows, sample_weight=np.full(272, 1.0)
    )
