"""Model search with a prior and with noise."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from gaussmix import DataError, DefaultPrior, GaussianMixture, ParameterError, Selection, select
from gaussmix.core.outcome import Outcome
from gaussmix.selection import search_problem
from gaussmix.types import ND, IntN
from tests.exhaustive import keep_first


def make_noisy_rows(seed: int = 0, n_rows: int = 400) -> tuple[ND, IntN]:
    """Return two groups, one of them long, and a quarter of uniform noise rows; and their labels, -1 for noise."""
    rng = np.random.default_rng(seed)
    long = rng.normal(size=(3 * n_rows // 8, 2)) @ np.array([[2.0, 1.0], [0.0, 0.4]])
    round_ = rng.normal(size=(3 * n_rows // 8, 2)) + 6.0
    rows = np.vstack([long, round_, rng.uniform(-10.0, 15.0, size=(n_rows // 4, 2))])
    return rows, np.repeat([0, 1, -1], [len(long), len(round_), n_rows // 4])


@pytest.fixture(scope="module")
def noisy_selection() -> Selection:
    """Return the search with noise over 1 to 4 components of two groups and noise rows."""
    return select(make_noisy_rows()[0], range(1, 5), noise=True)


def test_iris_with_a_prior_equals_mclust() -> None:
    """Fraley & Raftery's default prior: R, mclust 6.0.0, mclustBIC(iris[, 1:4], prior = priorControl())."""
    selection = select(load_iris().data, prior="default")
    assert [candidate.name for candidate in selection.candidates[:2]] == ["VEV,2", "VEV,3"]
    assert selection.candidates[0].criteria["bic"] == pytest.approx(580.81, abs=0.3)
    assert selection.candidates[1].criteria["bic"] == pytest.approx(587.40, abs=0.3)


def test_with_a_prior_two_rows_can_be_a_group() -> None:
    """In R, Mclust(X, G = 1:5, prior = priorControl()) of mclust 6.0.0 also finds a group of two rows."""
    rng = np.random.default_rng(3)
    rows = np.vstack([rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 8.0, [[20.0, -5.0], [20.3, -5.2]]])
    bare, believed = (
        select(rows, range(1, 5), ["EII", "EEI", "VVV"], n_starts=3, prior=each) for each in (None, "default")
    )
    assert believed.best.n_components == 3
    assert believed.best.fit is not None
    assert believed.best.fit.masses.min() == pytest.approx(2.0, abs=0.01)
    assert "prior" in str(believed.best.fit)
    three = [c for c in bare.candidates if c.n_components == 3 and str(c.structure) == "VVV"]
    assert not any(candidate.is_eligible and min(candidate.fit.masses) < 2.5 for candidate in three)  # type: ignore[union-attr]


@pytest.mark.parametrize("distance", [1e4, 1e6, 1e8])
def test_one_row_far_away_does_not_raise_the_floor(distance: float) -> None:
    rows, _ = make_noisy_rows()
    alone = np.vstack([rows[:300], [[distance, distance]]])
    selection = select(alone, range(1, 4), ["VVV", "EEI", "EEV"], noise=True)
    expected = select(rows[:300], range(1, 4), ["VVV", "EEI", "EEV"])
    assert selection.best.name == expected.best.name
    assert selection.best.mixture is not None
    assert selection.best.mixture.predict(alone)[-1] == -1
    fitted = GaussianMixture(2, noise=True, random_state=0, tol=1e-6, max_iter=1000).fit(alone)
    np.testing.assert_allclose(np.sort(fitted.means_[:, 0]), np.sort(selection.best.mixture.means[:, 0]), atol=0.1)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_small_noise_volume_adds_a_note() -> None:
    fit = select(make_noisy_rows()[0], 2, "VVV", noise=0.01).candidates[0].fit
    assert fit is not None
    assert "noise=True takes the volume of the data" in str(fit)
    usual = select(make_noisy_rows()[0], 2, "VVV", noise=True).candidates[0].fit
    assert "Its volume is" not in str(usual)


def test_prior_equals_that_of_the_estimator() -> None:
    rows = make_noisy_rows()[0]
    prior = DefaultPrior(shrinkage=5.0, location=[1.0, 2.0])
    best = select(rows, 2, "VVV", prior=prior).best
    fitted = GaussianMixture(2, prior=prior, init_params="hierarchical-VVV", tol=1e-9, max_iter=5000).fit(rows)
    assert best.fit is not None
    assert best.fit.log_likelihood == pytest.approx(fitted.fit_.log_likelihood, abs=1e-3)


def test_noise_is_found_and_counted(noisy_selection: Selection) -> None:
    rows, truth = make_noisy_rows()
    assert noisy_selection.best.n_components == 2
    assert noisy_selection.best.mixture is not None
    labels = noisy_selection.best.mixture.predict(rows)
    assert np.mean(labels == truth) > 0.93
    for candidate in noisy_selection.candidates:
        if candidate.mixture is not None:
            assert candidate.mixture.noise is not None
            assert candidate.n_parameters == candidate.mixture.n_parameters
            bare = candidate.structure.n_mixture_parameters(candidate.n_components, 2)
            assert candidate.n_parameters == bare + 2


def test_criteria_equal_those_of_the_fits(noisy_selection: Selection) -> None:
    rows, best = make_noisy_rows()[0], noisy_selection.best
    assert best.mixture is not None
    total = best.mixture.logpdf(rows).sum()
    assert best.criteria["bic"] == pytest.approx(-2 * total + best.n_parameters * np.log(len(rows)))
    certainty = np.log(best.mixture.predict_proba(rows).max(axis=1)).sum()
    assert best.criteria["icl"] == pytest.approx(best.criteria["bic"] - 2 * certainty)


@pytest.mark.parametrize("seed", keep_first(range(5), 2))
def test_candidates_are_no_worse_than_the_estimator(seed: int) -> None:
    rows, _ = make_noisy_rows(seed)
    selection = select(rows, [1, 2, 3], ["VVV", "EEI"], noise=True)
    for candidate in selection.candidates:
        own = GaussianMixture(
            candidate.n_components, covariance_type=str(candidate.structure), noise=True, tol=1e-8, max_iter=5000
        )
        fitted = own.set_params(random_state=seed).fit(rows)
        if candidate.fit is None or candidate.fit.outcome is Outcome.PRUNED:
            assert candidate.criteria["bic"] > selection.best.criteria["bic"] + 10
        elif candidate.is_eligible and not fitted.fit_.is_degenerate:
            assert candidate.fit.log_likelihood > fitted.fit_.log_likelihood - 0.01


def test_noise_volume_is_used() -> None:
    rows = make_noisy_rows()[0]
    small, large = (select(rows, 2, "VVV", noise=volume).best for volume in (900.0, 9000.0))
    assert small.mixture is not None
    assert large.mixture is not None
    assert small.mixture.noise is not None
    assert small.mixture.noise.volume_in_data_units(small.mixture.frame) == pytest.approx(900.0)
    assert small.mixture.noise.weight > large.mixture.noise.weight  # type: ignore[union-attr]


def test_large_data_with_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, truth = make_noisy_rows(n_rows=1200)
    monkeypatch.setattr(search_problem, "N_SCREENING_ROWS", 300)
    best = select(rows, range(1, 5), ["VVV", "EEE"], noise=True, prior="default").best
    assert best.mixture is not None
    assert best.n_components == 2
    assert np.mean(best.mixture.predict(rows) == truth) > 0.93


def test_labels_with_noise() -> None:
    rows, truth = make_noisy_rows()
    known = np.where(np.arange(len(rows)) % 10 == 0, 1 - truth, -1)
    known[truth < 0] = -1
    best = select(rows, 2, "VVV", noise=True, labels=known, n_starts=2).best
    assert best.mixture is not None
    groups = truth >= 0
    assert np.mean(best.mixture.predict(rows)[groups] == 1 - truth[groups]) > 0.93


def test_order_and_units_of_the_rows_do_not_matter() -> None:
    rows, _ = make_noisy_rows()
    expected = select(rows, [1, 2, 3], ["VVV", "EEI", "EVE"], noise=True, prior="default")
    order = np.random.default_rng(0).permutation(len(rows))
    moved = select(1e-3 * rows[order] + 7.0, [1, 2, 3], ["VVV", "EEI", "EVE"], noise=True, prior="default")
    shift = 2 * len(rows) * 2 * np.log(1e-3)
    selection = {candidate.name: candidate.criteria["bic"] for candidate in moved.candidates}
    for candidate in expected.candidates:
        assert selection[candidate.name] == pytest.approx(candidate.criteria["bic"] + shift, abs=0.05)


@pytest.mark.parametrize("noise", ["yes", -1.0, 0.0, np.inf, np.nan])
def test_invalid_noise_raises(noise: Any) -> None:
    with pytest.raises(ParameterError, match="noise"):
        select(make_noisy_rows()[0], 2, "VVV", noise=noise)


def test_noise_false_equals_none() -> None:
    rows = make_noisy_rows()[0]
    assert select(rows, 2, "VVV", noise=False).best.criteria == select(rows, 2, "VVV").best.criteria


@pytest.mark.parametrize("prior", ["flat", 1, DefaultPrior(degrees_of_freedom=0.1), DefaultPrior(location=[0.0])])
def test_invalid_prior_raises(prior: Any) -> None:
    with pytest.raises((ParameterError, DataError), match=r"prior|degrees_of_freedom|location"):
        select(make_noisy_rows()[0], 2, "VVV", prior=prior)


def test_noise_with_a_constant_column_is_that_of_the_others() -> None:
    column = make_noisy_rows()[0][:, :1]
    found = select(np.column_stack([column, np.ones(400)]), 2, "VVV", noise=True)
    assert found.best.criteria == select(column, 2, "VVV", noise=True).best.criteria
    prior = DefaultPrior(location=[0.0, 0.0])  # one of all columns, so that none is left out
    with pytest.raises(DataError, match="volume"):
        select(np.column_stack([column, np.ones(400)]), 2, "VVV", noise=True, prior=prior)
