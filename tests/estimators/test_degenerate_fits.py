"""A degenerate fit warns once, and components that have lost their rows return in a warm start."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

import gaussmix
from gaussmix import DataWarning, DegenerateFitWarning, GaussianMixture, select
from gaussmix.types import ND, IntN

RNG = np.random.default_rng(0)
TWO_GROUPS = np.vstack([RNG.normal(size=(60, 2)), RNG.normal(size=(60, 2)) + 9.0])
EQUAL_ROWS = np.vstack([TWO_GROUPS, np.full((30, 2), 30.0)])
ONE_DISTANT_ROW = np.vstack([TWO_GROUPS, [[30.0, 30.0]]])
LABELS_WITHOUT_LAST = np.repeat([0, 1], 60)


def caught_warnings(estimator: GaussianMixture, rows: ND, **options: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(rows, **options)
    return caught


@pytest.mark.parametrize(
    ("rows", "labels", "structure", "text"),
    [
        (EQUAL_ROWS, None, "VVV", "component 2 at the variance floor"),
        (EQUAL_ROWS, None, "VII", "component 2 at the variance floor"),
        (ONE_DISTANT_ROW, None, "EEV", "too few rows for the covariance of component 2"),
        (TWO_GROUPS, LABELS_WITHOUT_LAST, "VVV", "component 2 empty"),
        (TWO_GROUPS[:4], None, "EEE", "components 0, 1 and 2 at the variance floor; too few rows in total"),
    ],
)
def test_a_degenerate_fit_warns_once(rows: ND, labels: IntN | None, structure: str, text: str) -> None:
    estimator = GaussianMixture(3, covariance_type=structure, random_state=0)
    caught = caught_warnings(estimator, rows, labels=labels)
    assert [warning.category for warning in caught] == [DegenerateFitWarning]
    message = str(caught[0].message)
    assert f"The fit is degenerate: {text}. Its likelihood" in message
    assert ("No Gaussian describes saturated columns: column 0 (" in message) == (rows is EQUAL_ROWS)
    assert message.endswith("fit_.notes has details.")
    assert caught[0].filename == __file__
    assert estimator.fit_.degeneracy == text


@pytest.mark.parametrize(("n_components", "max_iter", "structure"), [(2, 100, "VVV"), (3, 0, "VVV"), (3, 100, "EII")])
def test_a_sound_fit_and_one_without_iterations_do_not_warn(n_components: int, max_iter: int, structure: str) -> None:
    rows = EQUAL_ROWS if max_iter == 0 else TWO_GROUPS if n_components == 2 else ONE_DISTANT_ROW
    estimator = GaussianMixture(n_components, max_iter=max_iter, covariance_type=structure, random_state=0)
    caught = caught_warnings(estimator, rows)
    assert [warning.category for warning in caught] == [DataWarning] * (rows is EQUAL_ROWS)  # about their columns


def test_the_warning_has_a_category_of_its_own() -> None:
    """The suite turns every warning into an error; one filter silences this one, and keeps that of scikit-learn."""
    assert issubclass(DegenerateFitWarning, UserWarning)
    assert not issubclass(DegenerateFitWarning, ConvergenceWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gaussmix.DegenerateFitWarning)
        GaussianMixture(3, random_state=0).fit(EQUAL_ROWS)
        with pytest.warns(ConvergenceWarning):
            GaussianMixture(3, random_state=0, max_iter=1, tol=0.0).fit(EQUAL_ROWS)


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
def test_a_search_does_not_warn_about_its_candidates() -> None:
    candidates = select(EQUAL_ROWS, [1, 2, 3], "VVV").candidates
    assert {candidate.is_eligible for candidate in candidates} == {True, False}


# -- warm starts -------------------------------------------------------------------------------------


def make_frame(centers: dict[int, tuple[float, ...]], n_rows: int, rng: np.random.Generator) -> tuple[ND, IntN]:
    """Return rows around the centers of the groups that are present, and the group of each row."""
    groups = np.repeat(list(centers), n_rows)
    return rng.normal(np.array([centers[group] for group in groups]), 4.0), groups


CENTERS: dict[int, dict[int, tuple[float, ...]]] = {
    1: {0: (0.0,), 1: (300.0,), 2: (150.0,), 3: (-200.0,)},
    2: {0: (100.0, 50.0), 1: (300.0, 200.0), 2: (200.0, 400.0), 3: (-100.0, 0.0)},
    3: {0: (0.0, 0.0, 0.0), 1: (90.0, 0.0, 30.0), 2: (0.0, 120.0, 0.0), 3: (90.0, 90.0, -90.0)},
}


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.parametrize(
    ("n_features", "absent", "options"),
    [
        (2, [2], {}),
        (2, [2], {"covariance_type": "tied"}),
        (2, [2], {"noise": True}),
        (2, [2], {"reg_covar": 1e-6}),
        (2, [1, 3], {"solver": "anderson"}),
        (1, [0], {}),
        (3, [0, 2], {"covariance_type": "spherical"}),
    ],
)
def test_a_group_that_vanishes_and_returns_has_its_component_again(
    n_features: int, absent: list[int], options: dict[str, Any]
) -> None:
    rng = np.random.default_rng(n_features)
    centers = CENTERS[n_features]
    present = {group: center for group, center in centers.items() if group not in absent}
    estimator = GaussianMixture(4, warm_start=True, random_state=0, **options)
    for groups_of_frame in (centers, present, centers, centers):
        rows, groups = make_frame(groups_of_frame, 80, rng)
        assert adjusted_rand_score(groups, estimator.fit(rows).predict(rows)) > 0.99
    assert estimator.weights_.min() > 0.2
    assert not estimator.fit_.is_degenerate


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.parametrize("structure", ["full", "tied"])
@pytest.mark.parametrize(("n_features", "absent"), [(1, 0), (2, 1), (3, 2)])
def test_a_group_that_stays_away_leaves_its_component_free(n_features: int, absent: int, structure: str) -> None:
    """Its component splits no other group meanwhile, because EM could not undo this when the group returns."""
    rng = np.random.default_rng(n_features)
    centers = CENTERS[n_features]
    present = {group: center for group, center in centers.items() if group != absent}
    estimator = GaussianMixture(4, warm_start=True, random_state=0, covariance_type=structure)
    for groups_of_frame in (centers, present, present, present, centers):
        rows, groups = make_frame(groups_of_frame, 80, rng)
        assert adjusted_rand_score(groups, estimator.fit(rows).predict(rows)) == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.parametrize("seed", range(3))
def test_a_component_that_held_a_few_outliers_takes_a_new_group(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centers: dict[int, tuple[float, ...]] = {0: (0.0, 0.0), 1: (80.0, 80.0), 2: (160.0, 0.0)}
    estimator = GaussianMixture(3, warm_start=True, random_state=0)
    for frame in (centers, {0: centers[0], 1: centers[1]}, {**centers, 2: (-120.0, 200.0)}):
        rows, groups = make_frame(frame, 80, rng)
        outliers = rng.uniform(-400, 400, (2, 2))
        labels = estimator.fit(np.vstack([rows, outliers])).predict(rows)
    assert adjusted_rand_score(groups, labels) > 0.98


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.parametrize("structure", ["VVV", "VII", "EEV", "EEE"])
def test_a_warm_start_on_the_same_rows_never_ends_lower(structure: str) -> None:
    rows = np.random.default_rng(3).standard_t(1.5, size=(60, 3))
    estimator = GaussianMixture(6, covariance_type=structure, random_state=0, tol=1e-8, max_iter=2000).fit(rows)
    before = estimator.fit_.log_likelihood
    after = estimator.set_params(warm_start=True).fit(rows).fit_.log_likelihood
    assert after >= before - 1e-6 * abs(before)
