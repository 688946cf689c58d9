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
    text = replace_thin_spaces(
        describe_mixture(
            fitted_search.mixture, fitted_search.rows, fit=fitted_search.fit, selection=fitted_search.selection
        )
    )
    assert text.startswith(
        "The 272 rows of 2 columns are described by 3 Gaussian groups of structure EEE (tied): "
        "one size, shape and orientation for all"
    )
    assert "Their weights are 35.6 %, 16.9 % and 47.5 %." in text
    assert "with a probability above 95 %" in text
    assert "Of 12 fitted candidates, EEE (tied) with 3 components has the lowest BIC" in text
    assert "Converged: the last gain was below the tolerance." in text


def test_search_and_fit_are_optional(fitted_search: FittedSearch) -> None:
    text = describe_mixture(fitted_search.mixture, fitted_search.rows)
    assert "candidates" not in text
    assert "converged" not in text


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (0.0, "bare mention"),
        (1.99, "bare mention"),
        (2.0, "positive"),
        (6.0, "strong"),
        (10.0, "strong"),
        (10.1, "very strong"),
    ],
)
def test_evidence_in_the_words_of_kass_and_raftery(difference: float, text: str) -> None:
    assert text in describe_bic_evidence(difference)


def test_evidence_follows_the_runner_up(fitted_search: FittedSearch) -> None:
    search = fitted_search.selection
    second = search.runner_up
    assert second is not None
    for gap, expected in ((1.0, "bare mention"), (8.0, "“strong”"), (50.0, "“very strong”")):
        changed_runner_up = replace(second, criteria={"bic": search.best.criteria["bic"] + gap})
        text = describe_mixture(
            fitted_search.mixture, fitted_search.rows, selection=Selection("bic", (search.best, changed_runner_up), 0.0)
        )
        assert expected in text
        assert f"{gap:.3g}" in text


def test_other_criteria_are_no_evidence(faithful: Any) -> None:
    search = gaussmix.select(faithful, [2, 3], ["EEE", "VVV"], criterion="icl", n_starts=1)
    text = describe_mixture(search.best.mixture, faithful, selection=search)  # type: ignore[arg-type]
    assert "has the lowest ICL" in text
    assert "Kass" not in text


def test_a_single_candidate_has_no_runner_up(faithful: Any) -> None:
    search = gaussmix.select(faithful, 2, "EEE", n_starts=1)
    text = describe_mixture(search.best.mixture, faithful, selection=search)  # type: ignore[arg-type]
    assert "EEE (tied) with 2 components is the only candidate that was fitted, so nothing was compared." in text


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_a_degenerate_selection_has_a_warning() -> None:
    rows = np.array([[0.0, 1.0], [1.0, 0.0]])
    search = gaussmix.select(rows, 2, n_starts=1)
    text = describe_mixture(search.best.mixture, rows, fit=search.best.fit, selection=search)  # type: ignore[arg-type]
    assert "treat it with caution" in text
    assert text.count("have fewer than the 3 rows that EII needs.") == 1


def test_one_group_has_no_sentence_on_certainty(faithful: Any) -> None:
    text = describe_mixture(GaussianMixture(1).fit(faithful).model_, faithful)
    assert "one Gaussian group" in text
    assert "probability" not in text


def test_many_weights_become_a_range() -> None:
    means = np.arange(12.0)[:, None] * 9
    mixture = Mixture.from_parameters(np.full(12, 1 / 12), means, np.ones((12, 1, 1)))
    text = replace_thin_spaces(describe_mixture(mixture, means))
    assert "Their weights range from 8.3 % to 8.3 %." in text
    assert "of one column" in text


def test_total_row_weight_is_given(fitted_search: FittedSearch) -> None:
    text = replace_thin_spaces(
        describe_mixture(fitted_search.mixture, fitted_search.rows, sample_weight=np.full(272, 2.0))
    )
    assert "The 272 rows (of total weight 544.0) of 2 columns" in text


def test_one_row_uses_the_singular(fitted_search: FittedSearch) -> None:
    for row in (0, int(fitted_search.mixture.uncertainty(fitted_search.rows).argmax())):
        text = replace_thin_spaces(describe_mixture(fitted_search.mixture, fitted_search.rows[row : row + 1]))
        assert "The 1 row of 2 columns is described by" in text
        assert "The row belongs to its group with a probability" in text
        assert ("probability above 95 %" in text) == (fitted_search.mixture.uncertainty(fitted_search.rows)[row] < 0.05)


def test_percentages_are_of_rows_or_of_weight(fitted_search: FittedSearch) -> None:
    assert "of the rows belong to their group" in describe_mixture(fitted_search.mixture, fitted_search.rows)
    assert "of the weight belongs to a group" in describe_mixture(
        fitted_search.mixture, fitted_search.rows, sample_weight=np.full(272, 1.0)
    )
