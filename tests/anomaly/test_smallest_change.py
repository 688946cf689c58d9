"""The smallest change: it makes rows normal, nothing smaller does, and few columns move."""

import itertools
import warnings

import numpy as np
import pytest

from gaussmix import GaussianMixture, Mixture
from gaussmix.anomaly import AnomalyDetector
from gaussmix.anomaly.anomaly_model import AnomalyModel
from gaussmix.anomaly.smallest_change import find_smallest_changes
from gaussmix.errors import DataError, ParameterError
from tests.anomaly.planted import NAMES, make_mixture, move_columns


def make_rule(mixture, quantile=0.01):
    """Return the rule that rows above a quantile of the log density are normal."""
    threshold = np.quantile(mixture.logpdf(mixture.sample(2000, random_state=9)[0]), quantile)
    return lambda rows: mixture.logpdf(rows) >= threshold


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_changed_rows_are_normal_and_a_little_less_change_is_not_enough(seed):
    mixture = make_mixture(seed)
    is_normal = make_rule(mixture)
    rows, groups = mixture.sample(60, random_state=seed)
    rows = move_columns(mixture, rows, groups, [seed], 7.0)
    rows[:10] = mixture.sample(10, random_state=1)[0]
    found = find_smallest_changes(mixture, rows, is_normal)
    assert found.is_found.all()
    assert is_normal(found.changed_values).all()
    was_normal = is_normal(rows)
    np.testing.assert_array_equal(found.changed_values[was_normal], rows[was_normal])
    changed = found.changed_values != rows
    np.testing.assert_array_equal(changed.sum(axis=1), found.n_changed)
    assert (found.n_changed[~was_normal] >= 1).all()
    less = rows + 0.999 * (found.changed_values - rows)
    assert not is_normal(less[~was_normal]).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_column_is_enough_where_an_exhaustive_search_says_so(seed):
    """The search tries a fine grid of values of each single column."""
    mixture = make_mixture(seed, n_groups=2, n_columns=3)
    is_normal = make_rule(mixture)
    rows, groups = mixture.sample(12, random_state=seed)
    rows = move_columns(mixture, rows, groups, [0, 2], 4.0)
    found = find_smallest_changes(mixture, rows, is_normal)
    for row, count in zip(rows, found.n_changed, strict=True):
        is_enough = False
        for j in range(3):
            grid = np.repeat(row[None], 4000, axis=0)
            grid[:, j] = np.linspace(mixture.means[:, j].min() - 12, mixture.means[:, j].max() + 12, 4000)
            is_enough |= bool(is_normal(grid).any())
        assert (count <= 1) == is_enough


def test_among_equal_numbers_of_columns_the_change_is_the_smallest_of_all_pairs():
    """One group and a distance as rule: the best pair and the best distance are known in closed form."""
    mixture = make_mixture(5, n_groups=1, n_columns=5)
    mean, precision = mixture.means[0], mixture.precisions[0]
    scales = np.sqrt(np.diagonal(mixture.covariances[0]))

    def distance(rows):
        return np.einsum("ni,ij,nj->n", rows - mean, precision, rows - mean)

    row = mean + np.array([6.0, 0.0, -7.0, 0.0, 0.5]) * scales
    found = find_smallest_changes(mixture, row[None], lambda rows: distance(rows) <= 10.0)
    assert found.n_changed[0] == 2
    sizes = []
    for pair in itertools.combinations(range(5), 2):
        chosen = list(pair)
        shift = np.linalg.solve(precision[np.ix_(chosen, chosen)], (precision @ (row - mean))[chosen])
        target = row.copy()
        target[chosen] -= shift
        rest, gain = distance(target[None])[0], distance(row[None])[0] - distance(target[None])[0]
        if rest <= 10.0:
            fraction = 1.0 - np.sqrt((10.0 - rest) / gain)
            sizes.append(fraction * np.linalg.norm(shift / scales[chosen]))
    size = np.linalg.norm((found.changed_values[0] - row) / scales)
    assert size == pytest.approx(min(sizes), rel=1e-4)


def test_answers_do_not_depend_on_units_offsets_or_row_order():
    mixture = make_mixture(3)
    scales, offsets = np.array([1e-5, 30.0, 1e6, 1.0]), np.array([0.0, 100.0, -1e8, 3.0])
    other = Mixture.from_parameters(
        mixture.weights, mixture.means * scales + offsets, mixture.covariances * scales[:, None] * scales
    )
    rows, groups = mixture.sample(20, random_state=0)
    rows = move_columns(mixture, rows, groups, [1], 8.0)
    is_normal, order = make_rule(mixture), np.random.default_rng(0).permutation(20)
    first = find_smallest_changes(mixture, rows, is_normal)
    second = find_smallest_changes(
        other, (rows * scales + offsets)[order], lambda changed: is_normal((changed - offsets) / scales)
    )
    np.testing.assert_array_equal(first.n_changed[order], second.n_changed)
    np.testing.assert_allclose(second.changed_values, (first.changed_values * scales + offsets)[order], rtol=1e-4)


def test_sentences_and_table():
    mixture = Mixture.from_parameters([1.0], [[20.0, 60.0, 5000.0]], [np.diag([100.0, 100.0, 1e6])])

    def is_normal(rows):
        return (np.abs(rows - mixture.means[0]) <= [30.0, 30.0, 215.0]).all(axis=1)

    rows = [[20, 60, 8684.0], [20, 60, 5000], [20, 10, 8684], [90, 190, -4000]]
    found = find_smallest_changes(mixture, rows, is_normal, NAMES[:3], max_columns=2)
    assert found.sentences[0] == "Lower total_charge from 8684 to 5210; about 5000 is expected."
    assert found.sentences[1] == "The row is normal already."
    assert found.sentences[3] == "No change of at most 2 columns makes the row normal."
    assert found.sentences[2].startswith("Raise monthly_charge from 10 to ")
    assert found.is_found.tolist() == [True, True, True, False]
    assert found.n_changed.tolist() == [1, 0, 2, 0]
    table = found.to_table()
    assert table["to_total_charge"][0] == pytest.approx(5215.0, rel=1e-4)
    assert (table["from_tenure"] == [20, 20, 20, 90]).all()
    assert str(found).startswith("row 0: Lower total_charge")
    assert len(found) == 4
    more = find_smallest_changes(mixture, rows, is_normal, NAMES[:3], max_columns=3)
    assert more.is_found.all()
    never = find_smallest_changes(mixture, rows[:1], lambda rows: np.zeros(len(rows), dtype=bool), max_columns=1)
    assert never.sentences == ("No change of 1 column makes the row normal.",)
    np.testing.assert_array_equal(never.changed_values, never.values)


def test_dependent_columns_follow_and_broken_relations_are_restored():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) * [3.0, 5.0] + [20.0, 50.0]
    rows = np.column_stack([rows, rows.sum(axis=1), np.full(300, 7.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture = GaussianMixture(1, random_state=0).fit(rows).model_
        threshold = np.quantile(mixture.logpdf(rows), 0.02)

    def is_normal(values):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return (mixture.logpdf(values) >= threshold) & ~mixture.dependence.broken_rows(values)

    probe = np.array([[20.0, 50.0, 70.0, 9.0], [20.0, 90.0, 110.0, 7.0], [20.0, 90.0, 20.0, 7.0], [20, 50, 70, 7]])
    found = find_smallest_changes(mixture, probe, is_normal, ["day", "night", "total", "region"])
    assert found.is_found.all()
    assert is_normal(found.changed_values).all()
    assert found.n_changed.tolist() == [0, 1, 1, 0]
    assert found.sentences[0] == "Lower region from 9 to 7."
    assert found.sentences[1].startswith("Lower night from 90 to ")
    assert "By the relations of the columns this makes total " in found.sentences[1]
    assert found.changed_values[1, 3] == 7.0


def test_hundreds_of_rows_are_few_calls_of_the_rule():
    mixture = make_mixture(0, n_groups=4, n_columns=8)
    rows, groups = mixture.sample(300, random_state=0)
    rows = move_columns(mixture, rows, groups, [2], 9.0)
    rule, calls = make_rule(mixture), []

    def is_normal(values):
        calls.append(len(values))
        return rule(values)

    find_smallest_changes(mixture, rows, is_normal)
    assert len(calls) < 80


def test_known_answers_are_not_asked_for_again():
    mixture = make_mixture(0)
    rows, groups = mixture.sample(30, random_state=0)
    rows = move_columns(mixture, rows, groups, [2], 9.0)
    rule, calls = make_rule(mixture), []

    def is_normal(values):
        calls.append(len(values))
        return rule(values)

    expected = find_smallest_changes(mixture, rows, is_normal)
    n_calls = len(calls)
    found = find_smallest_changes(mixture, rows, is_normal, are_normal=rule(rows))
    assert len(calls) == 2 * n_calls - 1
    np.testing.assert_array_equal(found.changed_values, expected.changed_values)
    assert find_smallest_changes(mixture, rows, is_normal, are_normal=np.ones(30, dtype=bool)).n_changed.sum() == 0
    with pytest.raises(ParameterError, match="are_normal must be one bool for each row"):
        find_smallest_changes(mixture, rows, is_normal, are_normal=[True])


def test_an_explanation_scores_its_rows_once(monkeypatch):
    detector = AnomalyDetector(n_components=1, n_repeats=1, random_state=0)
    rows = np.random.default_rng(0).normal(size=(200, 2))
    detector.fit(rows)
    scored = []
    log_tails = AnomalyModel.log_tails
    monkeypatch.setattr(AnomalyModel, "log_tails", lambda self, rows: scored.append(len(rows)) or log_tails(self, rows))
    explained = detector.explain(rows[detector.predict(rows) == 1])
    assert not explained.is_anomaly.any()
    assert scored == [200, len(explained)]


def test_bad_input_is_refused():
    mixture = make_mixture(0)
    with pytest.raises(ParameterError, match="result of is_normal"):
        find_smallest_changes(mixture, mixture.means, lambda rows: np.ones(len(rows)))
    with pytest.raises(ParameterError, match="result of is_normal"):
        find_smallest_changes(mixture, mixture.means, lambda rows: np.array(True))
    with pytest.raises(ParameterError, match="max_columns"):
        find_smallest_changes(mixture, mixture.means, lambda rows: np.ones(len(rows), dtype=bool), max_columns=0)
    with pytest.raises(DataError, match="0 rows"):
        find_smallest_changes(mixture, np.zeros((0, 4)), lambda rows: np.ones(len(rows), dtype=bool))


@pytest.mark.parametrize("value", [1e12, 1e200, -1.7e308])
def test_a_huge_value_is_changed_to_the_limit_and_other_rows_as_ever(value):
    mixture = make_mixture(1)
    rule, rows_and_groups = make_rule(mixture), mixture.sample(20, random_state=0)
    rows, groups = rows_and_groups
    rows = move_columns(mixture, rows, groups, [2], float(np.copysign(9.0, value)))
    huge = rows.copy()
    huge[::2, 2] = value
    found = find_smallest_changes(mixture, huge, lambda values: rule(np.clip(values, -1e100, 1e100)))
    plain = find_smallest_changes(mixture, rows, rule)
    np.testing.assert_array_equal(found.changed_values[1::2], plain.changed_values[1::2])
    one = found.n_changed == 1
    assert one[::2].all()
    side = np.sign(value) == np.sign(rows[:, 2] - plain.changed_values[:, 2])
    same = one & side & (plain.n_changed == 1) & (plain.changed_values[:, 2] != rows[:, 2])
    assert same[::2].any()
    np.testing.assert_allclose(found.changed_values[same, 2], plain.changed_values[same, 2], rtol=1e-3)
