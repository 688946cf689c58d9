"""Which columns matter most: columns of the same information are one factor."""

import numpy as np
import pytest

from gaussmix.classification import ChurnModel, MixtureClassifier
from gaussmix.classification.churn.column_importance import rank_columns


def test_columns_that_never_differ_share_a_factor_and_others_do_not():
    rows = [
        ((("minutes", "charge"), 0.8), (("internet", "security"), -0.2), (("age",), 0.1)),
        ((("minutes", "charge"), -0.6), (("internet",), 0.4), (("security",), 0.3)),
        ((("charge",), 0.4), (("internet",), -0.3)),
    ]
    found = rank_columns(rows, ("age", "charge", "minutes", "internet", "security", "unused"))
    assert [one.columns for one in found[:2]] == [("minutes", "charge"), ("internet",)]
    sizes = {one.columns[0]: one.mean_log_odds for one in found}
    assert sizes == pytest.approx({"minutes": 0.6, "internet": 0.3, "security": 0.1, "age": 0.1 / 3, "unused": 0.0})
    assert rank_columns([], ("age",)) == [(("age",), 0.0)]


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_in_other_units_does_not_change_the_ranking(seed):
    """Without the copy, a column has the size that both have together."""
    rng = np.random.default_rng(seed)
    minutes, calls = rng.normal(200.0, 50.0, 300).round(1), rng.normal(5.0, 2.0, 300).round(2)
    has_left = rng.random(300) < 1.0 / (1.0 + np.exp(-((minutes - 200.0) / 25.0 + 0.5 * (calls - 5.0))))
    found = []
    for table in (
        {"minutes": minutes, "calls": calls},
        {"minutes": minutes, "charge": 2.0 * minutes, "calls": calls},
    ):
        classifier = MixtureClassifier(n_components=1, n_starts=1, random_state=0)
        model = ChurnModel(classifier, random_state=0).fit(table, has_left)
        found.append(model.explain_reasons(table).importance())
    alone, copied = found
    assert [row["columns"] for row in copied] == [("minutes", "charge"), ("calls",)]
    assert [row["column"] for row in copied] == [row["column"] for row in alone]
    sizes = [[row["mean_log_odds"] for row in rows] for rows in found]
    np.testing.assert_allclose(sizes[1], sizes[0], rtol=0.15)
