"""Explanations: laws, conditionals of a mixture as an oracle, planted columns, and sentences."""

import warnings

import numpy as np
import pytest
from scipy import stats

from gaussmix import GaussianMixture, Mixture
from gaussmix.anomaly.deviating_columns import find_deviating_columns
from gaussmix.anomaly.deviations import measure_deviations
from gaussmix.anomaly.explanation import explain_rows
from gaussmix.anomaly.number_text import format_own_value, format_percent, format_sd, format_value, round_onward
from gaussmix.errors import DataError, ParameterError, RowTooFarError
from tests.anomaly.planted import NAMES, make_mixture, make_pair_mixture, move_columns


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_contributions_add_up_and_every_number_is_that_of_the_conditional_gaussian(seed):
    mixture = make_mixture(seed)
    rows = mixture.sample(15, random_state=seed)[0]
    rows[::2, 1] += 30.0
    found = explain_rows(mixture, rows)
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.squared_distances, rtol=1e-10)
    for i, k in enumerate(found.groups):
        gaussian = mixture.components[k]
        difference = rows[i] - gaussian.mean
        distance = difference @ np.linalg.solve(gaussian.covariance, difference)
        assert found.squared_distances[i] == pytest.approx(distance, rel=1e-9)
        assert found.tail_probabilities[i] == pytest.approx(stats.chi2.sf(distance, 4), rel=1e-6, abs=1e-300)
        for j in range(4):
            others = [c for c in range(4) if c != j]
            conditional = gaussian.conditional(others, rows[i, others])
            mean, deviation = conditional.mean[0], np.sqrt(conditional.covariance[0, 0])
            assert found.expected_values[i, j] == pytest.approx(mean, rel=1e-9, abs=1e-9)
            assert found.expected_deviations[i, j] == pytest.approx(deviation, rel=1e-9)
            assert found.conditional_z[i, j] == pytest.approx((rows[i, j] - mean) / deviation, rel=1e-8, abs=1e-8)
            marginal = difference[j] / np.sqrt(gaussian.covariance[j, j])
            assert found.marginal_z[i, j] == pytest.approx(marginal, rel=1e-9)


@pytest.mark.parametrize("seed", [0, 1])
def test_deviating_columns_are_those_of_a_search_with_explicit_marginals(seed):
    """Leaving out the worst column of the rest, one after the other, by covariances of the remaining columns."""
    mixture = make_mixture(seed, n_groups=1, n_columns=6)
    rows = mixture.sample(20, random_state=seed)[0]
    rows[:10, [1, 4]] += 9.0
    found = explain_rows(mixture, rows, is_anomaly=True)
    mean, covariance = mixture.means[0], mixture.covariances[0]
    for i in range(20):
        kept = list(range(6))
        while True:
            precision = np.linalg.inv(covariance[np.ix_(kept, kept)])
            force = precision @ (rows[i] - mean)[kept]
            del kept[int(np.argmax(np.abs(force) / np.sqrt(np.diagonal(precision))))]
            difference = (rows[i] - mean)[kept]
            rest = difference @ np.linalg.solve(covariance[np.ix_(kept, kept)], difference)
            if stats.chi2.sf(rest, len(kept)) >= 0.01 or len(kept) == 1:
                break
        columns = found.deviating_columns[i]
        columns = columns[columns >= 0]
        assert set(columns.tolist()) == set(range(6)) - set(kept)
        conditional = mixture.components[0].conditional(kept, rows[i, kept])
        open_columns = np.setdiff1d(np.arange(6), kept)
        z = (rows[i, open_columns] - conditional.mean) / np.sqrt(np.diagonal(conditional.covariance))
        expected = dict(zip(open_columns.tolist(), z, strict=True))
        np.testing.assert_allclose(found.deviating_z[i, : len(columns)], [expected[int(j)] for j in columns], rtol=1e-7)


def test_partial_correlations_are_those_of_the_covariance():
    mixture = make_mixture(4, n_groups=1, n_columns=4)
    rows = move_columns(mixture, mixture.means.repeat(2, axis=0), np.zeros(2, dtype=int), [2], 8.0)
    deviations = measure_deviations(mixture, rows)
    found = find_deviating_columns(deviations, np.ones(2, dtype=bool), 0.01, 3)
    precision = mixture.precisions[0]
    expected = -precision[2] / np.sqrt(precision[2, 2] * np.diagonal(precision))
    expected[2] = 0.0
    np.testing.assert_allclose(found.partial_correlations[0], expected, rtol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_answers_do_not_depend_on_units_offsets_or_row_order(seed):
    mixture = make_mixture(seed)
    rows = mixture.sample(30, random_state=seed)[0]
    rows[:20, seed] += 20.0
    scales, offsets = np.array([1e-6, 3.0, 7e8, 1.0]), np.array([5.0, -2.0, 1e9, 0.0])
    covariances = mixture.covariances * scales[:, None] * scales
    other = Mixture.from_parameters(mixture.weights, mixture.means * scales + offsets, covariances)
    order = np.random.default_rng(seed).permutation(30)
    first = explain_rows(mixture, rows)
    second = explain_rows(other, (rows * scales + offsets)[order])
    for name in ("groups", "deviating_columns", "pair_columns", "first_columns", "is_anomaly"):
        np.testing.assert_array_equal(getattr(first, name)[order], getattr(second, name))
    np.testing.assert_allclose(first.conditional_z[order], second.conditional_z, rtol=1e-6, atol=1e-6)
    assert [first.sentences[i].split(" (")[0] for i in order] == [text.split(" (")[0] for text in second.sentences]


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_every_structure_is_explained(structure):
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(200, 3)), rng.normal(size=(200, 3)) + 9.0])
    fitted = GaussianMixture(2, covariance_type=structure, random_state=0).fit(rows)
    probe = rows[:50].copy()
    probe[:, 1] += 25.0
    found = explain_rows(fitted.model_, probe)
    assert (found.first_columns == 1).mean() > 0.9
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.squared_distances, rtol=1e-8)


def test_factor_analysers_are_explained():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 12)) + 0.5 * rng.normal(size=(300, 12))
    mixture = GaussianMixture(1, covariance_type="UUU", n_factors=2, random_state=0).fit(rows).model_
    probe = rows[:40].copy()
    probe[:, 7] += 4.0
    found = explain_rows(mixture, probe, is_anomaly=True)
    assert (found.first_columns == 7).mean() > 0.9
    difference = probe - mixture.means[0]
    expected = np.einsum("ni,ij,nj->n", difference, mixture.precisions[0], difference)
    np.testing.assert_allclose(found.squared_distances, expected, rtol=1e-8)


def test_noise_is_no_group_and_an_empty_group_explains_nothing():
    mixture = Mixture.from_parameters([0.0, 1.0], [[0.0, 0.0], [9.0, 9.0]], [np.eye(2), np.eye(2)])
    assert explain_rows(mixture, [[0.0, 0.1]]).groups.tolist() == [1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_planted_column_is_named_first_by_a_fitted_mixture(seed):
    truth = make_mixture(seed, n_groups=3, n_columns=5)
    training, _ = truth.sample(1500, random_state=seed)
    fitted = GaussianMixture(3, random_state=0).fit(training).model_
    rows, groups = truth.sample(100, random_state=seed + 50)
    for column in range(5):
        found = explain_rows(fitted, move_columns(truth, rows, groups, [column], 5.0))
        assert (found.first_columns == column).mean() >= 0.85


def test_the_group_is_that_of_the_other_columns():
    """A wrong value in one column brings the row nearer to another group, and all other columns know better."""
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0] * 4, [10.0, 4.0, 4.0, 4.0]], np.repeat(np.eye(4)[None], 2, 0))
    row = np.array([[9.0, 0.0, 0.0, 0.0]])
    distances = np.square(row - mixture.means).sum(axis=1)
    assert distances.argmin() == 1
    found = explain_rows(mixture, row)
    assert (found.groups[0], found.first_columns[0]) == (0, 0)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_broken_correlation_names_the_pair(seed):
    mixture = make_pair_mixture(0.9)
    rows, groups = mixture.sample(300, random_state=seed)
    found = explain_rows(mixture, move_columns(mixture, rows, groups, [0], 4.0), is_anomaly=True)
    assert (np.sort(found.pair_columns, axis=1) == [0, 1]).all(axis=1).mean() > 0.8
    far = explain_rows(mixture, move_columns(mixture, rows, groups, [2], 4.0), is_anomaly=True)
    assert (far.pair_columns[far.first_columns == 2] == -1).all()


def test_sentences_name_columns_values_and_context():
    covariance = np.diag([24.0, 30.0, 2000.0]) @ np.array([[1, 0, 0.6], [0, 1, 0.6], [0.6, 0.6, 1]])
    covariance = covariance @ np.diag([24.0, 30.0, 2000.0])
    mixture = Mixture.from_parameters([0.5, 0.5], [[30, 65, 2000], [500, 65, 2000]], [covariance, covariance])
    found = explain_rows(mixture, [[30, 65, 8684], [30, 65, 2000], [60, 120, 2000]], NAMES[:3])
    assert found.sentences[0] == (
        "total_charge (8684) is 6.3 sd above what normal group 0 has at this tenure and monthly_charge (about 2000)."
    )
    assert found.sentences[1] == "The row is normal: 100% of normal group 0 lie farther from its center."
    assert "group 0" in found.sentences[2]
    assert found.is_anomaly.tolist() == [True, False, True]
    assert str(found).startswith("2 of 3 rows are anomalies.\nrow 0: total_charge (8684)")


def test_sentence_of_a_pair_of_one_group_and_of_rows_far_from_all():
    mixture = make_pair_mixture()
    found = explain_rows(mixture, [[1.5, -1.5, 0.0], [50.0, -80.0, 90.0]], ["a", "b", "c"])
    assert found.sentences[0].startswith("b and a do not go together: a (1.5) is ")
    assert found.sentences[0].endswith("above what the normal rows have at this b (about -1.425).")
    assert found.sentences[1].startswith("The row matches no normal group: it lies ")
    assert found.matches_no_group.tolist() == [False, True]
    two = explain_rows(make_mixture(0), [[1e4, -1e4, 1e4, 3e4]], NAMES)
    assert "the nearest one" in two.sentences[0]


def test_a_sentence_names_at_most_three_deviating_columns():
    mixture = Mixture.from_parameters([1.0], [[0.0] * 9], [np.eye(9)])
    rows = [[9.0, 8.0, -7.0, 6.0, 5.0, 0, 0, 0, 0], [9.0, 8.0, -7.0, 6.0, 0, 0, 0, 0, 0]]
    found = explain_rows(mixture, rows, list("abcdefghi"))
    assert found.sentences[0] == (
        "a (9) is 9.0 sd above, b (8) 8.0 sd above and c (-7) 7.0 sd below what the normal rows have (about 0, 0 "
        "and 0); 2 other columns deviate less."
    )
    assert found.sentences[1].endswith("; 1 other column deviates less.")


def test_flags_of_a_detector_decide_what_is_explained():
    mixture = make_mixture(0, n_groups=1)
    rows = mixture.means + np.array([[0.0] * 4, [0.0, 9.0, 0.0, 0.0]])
    found = explain_rows(mixture, rows, is_anomaly=[True, False])
    assert found.is_anomaly.tolist() == [True, False]
    assert found.sentences[0].startswith(
        "No column of the row stands out from the normal rows. Its distance is ordinary: "
    )
    assert found.sentences[1].startswith(
        "The row is no anomaly, although less than 0.001% of the normal rows lie farther"
    )
    assert (found.deviating_columns[1] == -1).all()


def test_level_and_max_columns_change_what_deviates():
    mixture = make_mixture(1, n_groups=1, n_columns=6)
    rows = mixture.means + 4.0 * np.sqrt(np.diagonal(mixture.covariances[0]))
    n_named = [(explain_rows(mixture, rows, level=v).deviating_columns >= 0).sum() for v in (1e-6, 0.2)]
    assert n_named[0] < n_named[1]
    assert explain_rows(mixture, rows, max_columns=1).matches_no_group.all()
    assert explain_rows(mixture, rows, max_columns=1).deviating_columns.shape == (1, 1)


@pytest.fixture(scope="module")
def dependent_mixture():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) * [3.0, 5.0] + [20.0, 50.0]
    rows = np.column_stack([rows, rows.sum(axis=1), np.full(300, 7.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GaussianMixture(1, random_state=0).fit(rows).model_, rows


def test_broken_relations_and_changed_constants_are_said_first(dependent_mixture):
    mixture, rows = dependent_mixture
    probe = rows[:4].copy()
    probe[0, 2] += 5.0
    probe[1, 3] = 8.0
    probe[2] += [0.0, 90.0, 90.0, 1.0]
    names = ["day", "night", "total", "region"]
    found = explain_rows(mixture, probe, names)
    assert found.is_anomaly.tolist() == [True, True, True, False]
    assert found.sentences[0].startswith("The row breaks what every training row keeps: total is ")
    assert found.sentences[0].endswith("although total = day + night.")
    assert found.sentences[1].endswith("region is 8, but 7 in every training row.")
    assert "region is 8" in found.sentences[2].split(". ")[0]
    assert "night (" in found.sentences[2].split(". ")[1]
    assert found.relation_signs.sum() == 3
    assert found.names == ("day", "night")


def test_transformed_columns_are_explained_in_the_units_of_the_data():
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.exp(rng.normal(3.0, 0.5, 400)), rng.normal(size=400)])
    fitted = GaussianMixture(1, random_state=0, column_transform={0: "log1p"}).fit(rows)
    found = explain_rows(fitted.model_, [[900.0, 0.0]], ["income", "x"])
    assert found.sentences[0].startswith("income (900) is ")
    assert 15.0 < found.expected_values[0, 0] < 27.0
    low, high = (np.expm1(np.log1p(rows[:, 0]).mean() + s * np.log1p(rows[:, 0]).std()) for s in (-1, 1))
    assert found.expected_deviations[0, 0] == pytest.approx((high - low) / 2, rel=0.02)


def test_table_has_a_column_for_each_number():
    mixture = make_mixture(2)
    found = explain_rows(mixture, mixture.sample(5, random_state=0)[0], NAMES)
    table = found.to_table()
    assert {len(column) for column in table.values()} == {5}
    np.testing.assert_array_equal(table["contribution_total_charge"], found.contributions[:, 2])
    assert table["sentence"][0] == found.sentences[0]
    assert len(found) == 5
    assert table["first_column"][0] in NAMES


def test_one_column_and_far_rows_keep_their_digits():
    mixture = Mixture.from_parameters([1.0], [[2.0]], [[[4.0]]])
    found = explain_rows(mixture, [[10.0], [2.0], [1e12]], ["x"])
    np.testing.assert_allclose(found.conditional_z[:, 0], [4.0, 0.0, 5e11 - 1.0], rtol=1e-14)
    assert found.sentences[0] == "x (10) is 4.0 sd above what the normal rows have (about 2)."
    pair = make_pair_mixture(0.5)
    assert explain_rows(pair, [[0.0, 1e10, 0.3]]).deviating_columns[0].tolist() == [1, -1]


@pytest.mark.parametrize("value", [1e6, 1e15, 1e100, 1e200, -1.7e308])
def test_a_huge_value_is_named_and_hides_neither_other_columns_nor_other_rows(value):
    """What follows for the other columns does not depend on the huge value, whatever its size."""
    mixture = make_mixture(1, n_groups=2, n_columns=5)
    rows = mixture.sample(6, random_state=0)[0]
    huge = rows.copy()
    huge[::2, 3] = value
    found, plain = explain_rows(mixture, huge, is_anomaly=True), explain_rows(mixture, rows, is_anomaly=True)
    assert (found.deviating_columns[::2, 0] == 3).all()
    assert (found.deviating_columns[::2, 1:] == -1).all()
    np.testing.assert_allclose(found.expected_values[::2, 3], plain.expected_values[::2, 3], rtol=1e-9)
    np.testing.assert_allclose(found.conditional_z[1::2], plain.conditional_z[1::2])
    assert np.isfinite(found.conditional_z).all()
    assert np.isfinite(found.contributions).all()
    assert f"(about {plain.expected_values[0, 3]:.3f})" in found.sentences[0]


def test_bad_input_is_refused():
    mixture = make_mixture(0)
    rows = mixture.means
    with pytest.raises(DataError, match="0 rows"):
        explain_rows(mixture, np.zeros((0, 4)))
    with pytest.raises(DataError, match="3 columns"):
        explain_rows(mixture, rows[:, :3])
    with pytest.raises(DataError, match="NaN"):
        explain_rows(mixture, rows * np.nan)
    with pytest.raises(RowTooFarError, match="row 1"):
        narrow = Mixture.from_parameters([0.5, 0.5], [[-1e60], [1e60]], [[[1e-120]], [[1e-120]]])
        explain_rows(narrow, [[0.0], [1e300]])
    for level in (0.0, 1.0, "much"):
        with pytest.raises(ParameterError, match="level"):
            explain_rows(mixture, rows, level=level)
    with pytest.raises(ParameterError, match="max_columns"):
        explain_rows(mixture, rows, max_columns=0)
    with pytest.raises(ParameterError, match="is_anomaly"):
        explain_rows(mixture, rows, is_anomaly=[1, -1, 1])
    with pytest.raises(ParameterError, match="is_anomaly"):
        explain_rows(mixture, rows, is_anomaly=[True])
    with pytest.raises(ParameterError, match="feature_names"):
        explain_rows(mixture, rows, names=["a"])


@pytest.mark.parametrize(
    ("value", "deviation", "text"),
    [
        (5213.7, 2266.0, "5210"),
        (0.3149, 0.1, "0.315"),
        (-0.0000001, 1.0, "0"),
        (1e12, 1e9, "1e+12"),
        (12.0, 24, "12"),
    ],
)
def test_values_have_the_digits_of_their_deviation(value, deviation, text):
    assert format_value(value, deviation) == text


def test_own_values_keep_all_digits_before_the_point():
    assert format_own_value(1234567.0, 1e5) == "1234567"
    assert format_own_value(8684.8123, 1e5) == "8684.8"
    assert format_own_value(0.0, 0.0) == "0"
    assert [format_sd(z) for z in (-4.12, 12.3, 2e7)] == ["4.1 sd", "12 sd", "2e+07 sd"]
    assert [format_percent(p) for p in (0.41, 0.0034, 1e-9)] == ["41%", "0.3%", "less than 0.001%"]


def test_rounding_never_shortens_a_change():
    rng = np.random.default_rng(0)
    for start, end in rng.normal(size=(200, 2)) * 10.0 ** rng.integers(-8, 8, size=(200, 1)):
        rounded = round_onward(float(start), float(end))
        assert abs(rounded - start) >= abs(end - start) * (1 - 1e-12)
        assert abs(rounded - end) <= 0.011 * abs(end - start)
