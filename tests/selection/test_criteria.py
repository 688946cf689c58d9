"""Information criteria."""

import math

import numpy as np
import pytest

from gaussmix import GaussianMixture
from gaussmix.selection import CRITERIA
from gaussmix.selection.criteria import aic, aicc, bic, icl, sabic
from tests.laws.strategies import groups


def test_criteria_equal_their_formulas() -> None:
    assert bic(-100.0, 5, 50.0) == pytest.approx(200.0 + 5 * math.log(50.0))
    assert aic(-100.0, 5, 50.0) == 210.0
    assert icl(-100.0, 5, 50.0, -3.0) == pytest.approx(bic(-100.0, 5, 50.0) + 6.0)
    assert aicc(-100.0, 5, 50.0) == pytest.approx(210.0 + 60.0 / 44.0)
    assert aicc(-100.0, 5, 6.0) == math.inf
    assert sabic(-100.0, 5, 46.0) == pytest.approx(200.0 + 5 * math.log(2.0))
    assert list(CRITERIA) == ["bic", "icl", "aic", "aicc", "sabic"]


@pytest.mark.parametrize("name", CRITERIA)
def test_parameters_and_lower_likelihood_raise_criteria(name: str) -> None:
    rule = CRITERIA[name]
    assert rule(-100.0, 6, 50.0, 0.0) > rule(-100.0, 5, 50.0, 0.0)
    assert rule(-101.0, 5, 50.0, 0.0) > rule(-100.0, 5, 50.0, 0.0)


def test_criteria_equal_sklearn() -> None:
    from sklearn.mixture import GaussianMixture as Theirs

    rows = groups(0, 100)
    ours = GaussianMixture(2, random_state=0, tol=1e-8, max_iter=500).fit(rows)
    theirs = Theirs(2, means_init=ours.means_, tol=1e-8, max_iter=500, reg_covar=0.0).fit(rows)
    assert ours.bic(rows) == pytest.approx(theirs.bic(rows), rel=1e-6)
    assert ours.aic(rows) == pytest.approx(theirs.aic(rows), rel=1e-6)
    certainty = np.log(ours.predict_proba(rows).max(axis=1)).sum()
    assert ours.icl(rows) == pytest.approx(ours.bic(rows) - 2 * certainty, rel=1e-10)
