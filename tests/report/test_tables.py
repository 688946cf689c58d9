"""The tables agree with the mixture and the rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import Fit, GaussianMixture, Mixture, report
from tests.report.conftest import FittedSearch


def test_components_agree_with_the_model(fitted_search: FittedSearch) -> None:
    rows = report.component_table(fitted_search.mixture, fitted_search.rows)
    assert [row.component for row in rows] == [0, 1, 2]
    assert np.allclose([row.mean for row in rows], fitted_search.mixture.means)
    variances = np.diagonal(fitted_search.mixture.covariances, axis1=1, axis2=2)
    assert np.allclose(np.square([row.standard_deviation for row in rows]), variances)
    assert [row.weight for row in rows] == fitted_search.mixture.weights.tolist()


def test_assigned_weights_and_responsibilities_sum_to_the_rows(fitted_search: FittedSearch) -> None:
    rows = report.component_table(fitted_search.mixture, fitted_search.rows)
    labels = fitted_search.mixture.predict(fitted_search.rows)
    assert [row.assigned_weight for row in rows] == np.bincount(labels).tolist()
    assert sum(row.responsibility_sum or 0 for row in rows) == pytest.approx(272)
    uncertainties = fitted_search.mixture.uncertainty(fitted_search.rows)
    assert rows[1].mean_uncertainty == pytest.approx(uncertainties[labels == 1].mean())


def test_without_data_there_are_no_counts(fitted_search: FittedSearch) -> None:
    assert {row.assigned_weight for row in report.component_table(fitted_search.mixture)} == {None}
    assert {row.mean_uncertainty for row in report.component_table(fitted_search.mixture)} == {None}


def test_weight_two_is_the_row_twice(fitted_search: FittedSearch) -> None:
    weights = np.where(fitted_search.rows[:, 0] > 3, 2.0, 1.0)
    repeated_rows = np.repeat(fitted_search.rows, weights.astype(int), axis=0)
    weighted = report.component_table(fitted_search.mixture, fitted_search.rows, weights)
    repeated = report.component_table(fitted_search.mixture, repeated_rows)
    for weighted_row, repeated_row in zip(weighted, repeated, strict=True):
        assert weighted_row.assigned_weight == repeated_row.assigned_weight
        assert weighted_row.mean == repeated_row.mean
        assert weighted_row.responsibility_sum == pytest.approx(repeated_row.responsibility_sum)
        assert weighted_row.mean_uncertainty == pytest.approx(repeated_row.mean_uncertainty)
    of_weighted, of_repeated = (
        report.summarize_fit_quality(fitted_search.mixture, fitted_search.rows, weights),
        report.summarize_fit_quality(fitted_search.mixture, repeated_rows),
    )
    assert of_weighted.total_weight == of_repeated.n_rows
    assert (of_weighted.bic, of_weighted.icl, of_weighted.aic) == pytest.approx(
        (of_repeated.bic, of_repeated.icl, of_repeated.aic)
    )
    assert of_weighted.certain_fraction == pytest.approx(of_repeated.certain_fraction)
    assert of_weighted.mean_uncertainty == pytest.approx(of_repeated.mean_uncertainty)


def test_an_empty_component_has_no_mean_uncertainty() -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [99.0]], [[[1.0]], [[1.0]]])
    rows = report.component_table(mixture, [[0.0], [1.0]])
    assert (rows[1].assigned_weight, rows[1].mean_uncertainty) == (0.0, None)


def test_deviations_exist_where_variances_underflow(fitted_search: FittedSearch) -> None:
    rows = fitted_search.rows * 1e-170
    mixture = GaussianMixture(2, random_state=0).fit(rows).model_
    with pytest.raises(gaussmix.UnrepresentableError):
        mixture.covariances
    expected = report.component_table(GaussianMixture(2, random_state=0).fit(fitted_search.rows).model_)
    for row, expected_row in zip(report.component_table(mixture), expected, strict=True):
        assert np.allclose(np.array(row.standard_deviation) * 1e170, expected_row.standard_deviation, rtol=1e-6)


def test_summary_agrees_with_the_estimator(faithful: Any) -> None:
    estimator = GaussianMixture(3, covariance_type="tied", random_state=0).fit(faithful)
    fit_quality = report.summarize_fit_quality(estimator.model_, faithful)
    assert fit_quality.bic == pytest.approx(estimator.bic(faithful))
    assert fit_quality.aic == pytest.approx(estimator.aic(faithful))
    assert fit_quality.icl == pytest.approx(estimator.icl(faithful))
    assert fit_quality.log_likelihood == pytest.approx(estimator.score(faithful) * 272)
    uncertainties = estimator.model_.uncertainty(faithful)
    assert fit_quality.certain_fraction == pytest.approx((uncertainties < 0.05).mean())
    assert fit_quality.uncertain_fraction == pytest.approx((uncertainties > 0.2).mean())
    assert fit_quality.mean_uncertainty == pytest.approx(uncertainties.mean())


def test_candidates_are_ranked_with_differences(fitted_search: FittedSearch) -> None:
    rows = report.candidate_table(fitted_search.selection)
    assert (rows[0].structure, rows[0].n_components, rows[0].remark) == ("EEE (tied)", 3, "selected")
    assert [row.rank for row in rows] == list(range(1, 13))
    assert rows[0].difference_to_best == 0.0
    gaps = [row.difference_to_best for row in rows if row.difference_to_best is not None]
    assert gaps == sorted(gaps)
    assert rows[1].difference_to_best == pytest.approx(rows[1].criterion_value - rows[0].criterion_value)  # type: ignore[operator]


def test_rejected_candidates_have_a_remark() -> None:
    rows = np.repeat(np.random.default_rng(0).normal(size=(5, 2)), 2, axis=0)
    search = gaussmix.select(rows, [1, 3, 11], ["EII", "EEI", "VVV"], n_starts=1)
    remarks = [(row.is_eligible, row.remark) for row in report.candidate_table(search)]
    assert any(not eligible and remark.startswith("degenerate: ") for eligible, remark in remarks)
    assert any(remark.startswith("not fitted: ") and "n_samples" in remark for _, remark in remarks)
    assert all(len(remark) > len("degenerate: ") for eligible, remark in remarks if not eligible)


def test_equal_candidates_are_named(faithful: Any) -> None:
    search = gaussmix.select(faithful[:, :1], [2], ["EII", "EEE"], n_starts=1)
    assert report.candidate_table(search)[1].remark == "the same mixtures as EII"


def test_uncertain_rows_are_sorted_by_uncertainty(fitted_search: FittedSearch) -> None:
    uncertainties = fitted_search.mixture.uncertainty(fitted_search.rows)
    rows = report.uncertain_rows(fitted_search.mixture, fitted_search.rows, 5)
    assert [row.uncertainty for row in rows] == sorted(uncertainties, reverse=True)[:5]
    for row in rows:
        responsibilities = fitted_search.mixture.predict_proba(fitted_search.rows[[row.row_index]])[0]
        assert row.first_component == responsibilities.argmax()
        assert (row.first_probability, row.second_probability) == pytest.approx(
            tuple(np.sort(responsibilities)[::-1][:2])
        )
        assert responsibilities[row.second_component] == pytest.approx(row.second_probability)
        assert row.values == tuple(fitted_search.rows[row.row_index])
    assert len(report.uncertain_rows(fitted_search.mixture, fitted_search.rows)) == 20
    assert report.uncertain_rows(fitted_search.mixture, fitted_search.rows, 0) == []


def test_one_component_has_no_uncertain_rows(faithful: Any) -> None:
    assert report.uncertain_rows(GaussianMixture(1).fit(faithful).model_, faithful) == []


def test_invalid_input_is_rejected(fitted_search: FittedSearch) -> None:
    with pytest.raises(ValueError, match="max_rows"):
        report.uncertain_rows(fitted_search.mixture, fitted_search.rows, -1)
    with pytest.raises(ValueError, match="1 column"):
        report.summarize_fit_quality(fitted_search.mixture, fitted_search.rows[:, :1])
    with pytest.raises(ValueError, match="sample_weight"):
        report.component_table(fitted_search.mixture, fitted_search.rows, [1.0])


def test_fit_summary(fitted_search: FittedSearch) -> None:
    fit_summary = report.summarize_fit(fitted_search.fit, fitted_search.mixture)
    assert fit_summary.has_converged
    assert fit_summary.n_iter == len(fitted_search.fit.trace)
    assert fit_summary.log_likelihood == fitted_search.fit.log_likelihood
    assert len(fit_summary.condition_numbers) == 3
    assert fit_summary.floored_components == fit_summary.small_components == ()


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_fit_summary_of_a_degenerate_fit() -> None:
    rows = np.array([[0.0, 0.0], [0.1, 0.3], [0.5, 0.2], [9.0, 9.0]])
    fit = GaussianMixture(2, random_state=0).fit(rows)
    fit_summary = report.summarize_fit(fit.fit_, fit.model_)
    assert fit_summary.floored_components == (1,)
    assert 1 in fit_summary.small_components
    assert fit_summary.notes


def test_records_convert_to_a_data_frame(fitted_search: FittedSearch) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(report.candidate_table(fitted_search.selection))
    assert list(frame.columns[:3]) == ["rank", "structure", "n_components"]


def test_rounding_errors_are_no_difference(fitted_search: FittedSearch) -> None:
    first, second = fitted_search.selection.candidates[:2]
    changed_runner_up = replace(second, criteria={"bic": first.criteria["bic"] * (1 - 1e-15)})
    rows = report.candidate_table(gaussmix.Selection("bic", (first, changed_runner_up), 0.0))
    assert rows[1].difference_to_best == 0.0


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_degenerate_components_are_counted() -> None:
    fit = GaussianMixture(2, random_state=0).fit([[0.0, 0.0], [0.1, 0.3], [0.5, 0.2], [9.0, 9.0]]).fit_
    masses = np.array([3.0, 1.0])

    def with_floored(*is_floored: bool) -> Fit:
        covariance = replace(fit.mixture.covariance, is_floored=np.array(is_floored))
        return replace(fit, mixture=replace(fit.mixture, covariance=covariance), masses=masses)

    assert with_floored(True, True).degeneracy == "components 0 and 1 at the variance floor"
    assert with_floored(False, True).degeneracy == "component 1 at the variance floor"
    assert with_floored(False, False).degeneracy == "too few rows for the covariance of component 1"
