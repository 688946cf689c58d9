"""A few far rows, such as sentinels or a slip, hide no group: in fits, in starts and in searches."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, select
from gaussmix.types import ND, BoolN, IntN
from tests.model.test_robust_scales import FAR_VALUES

# Far rows that are equal are a component at the variance floor.
pytestmark = pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")


def two_groups_and_far_rows(seed: int, name: str, n_columns: int = 1) -> tuple[ND, IntN, BoolN]:
    """1000 rows in two groups, at 1 and 2 with a deviation of 0.1, some replaced by far values."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 2, 1000)
    rows = np.where(groups, 2.0, 1.0)[:, None] + rng.normal(0.0, 0.1, (1000, n_columns))
    is_far = np.zeros(1000, dtype=bool)
    is_far[rng.choice(1000, len(FAR_VALUES[name]), replace=False)] = True
    rows[is_far, 0] = FAR_VALUES[name]
    return rows, groups, is_far


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@pytest.mark.parametrize("n_columns", [1, 2])
@pytest.mark.parametrize("name", FAR_VALUES)
@pytest.mark.parametrize("seed", range(3))
def test_fit_finds_the_groups(seed: int, name: str, n_columns: int) -> None:
    rows, groups, is_far = two_groups_and_far_rows(seed, name, n_columns)
    found = GaussianMixture(3, random_state=seed).fit(rows)
    assert adjusted_rand_score(groups[~is_far], found.predict(rows)[~is_far]) == 1.0
    near = [k for k in range(3) if abs(found.means_[k, 0]) < 10.0]
    deviations = [rows[(groups == z) & ~is_far, 0].std() for z in (0, 1)]
    np.testing.assert_allclose(np.sqrt(found.covariances_[near, 0, 0]), deviations, rtol=1e-3)
    assert "A few far rows have more than 99 % of the variance of column 0" in str(found.fit_)
    assert 0 not in np.flatnonzero(found.model_.covariance.is_floored[near])


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@pytest.mark.parametrize("name", ["one slip", "sentinels", "missing"])
def test_fit_agrees_with_scikit_learn(name: str) -> None:
    rows, _, _ = two_groups_and_far_rows(1, name)
    found = GaussianMixture(3, random_state=0).fit(rows)
    other = SklearnMixture(3, random_state=0, n_init=10).fit(rows)
    np.testing.assert_allclose(found.means_.ravel(), np.sort(other.means_.ravel()), rtol=1e-3)


@pytest.mark.parametrize("name", ["sentinels", "spread", "two sentinels"])
def test_search_finds_the_groups(name: str) -> None:
    rows, groups, is_far = two_groups_and_far_rows(2, name)
    best = select(rows, range(1, 6)).best
    assert best.mixture is not None
    assert best.fit is not None
    assert adjusted_rand_score(groups[~is_far], best.mixture.predict(rows)[~is_far]) > 0.99
    assert not best.fit.has_floored_component


def test_note_on_the_floor_is_true_without_far_rows() -> None:
    rows = np.where(np.arange(200) < 100, 0.0, 1e9)[:, None] + np.random.default_rng(0).normal(size=(200, 1))
    notes = str(GaussianMixture(2, random_state=0).fit(rows).fit_)
    assert "much closer to each other than to the rest" in notes
    assert "far rows" not in notes


def _groups_and_far_rows(seed: int, far_rows: ND) -> ND:
    """Three groups of 100 rows in three columns, and far rows."""
    rng = np.random.default_rng(seed)
    return np.vstack([rng.normal(center, 1.0, (100, 3)) for center in (0.0, 8.0, 16.0)] + [far_rows])


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("sentinel", [-9999.0, 65535.0])
def test_the_volume_of_the_data_has_no_note_where_far_rows_lie_along_a_diagonal(seed: int, sentinel: float) -> None:
    """The principal components of such rows have a box of a millionth of that along the columns."""
    fit = GaussianMixture(3, noise=True, random_state=0).fit(_groups_and_far_rows(seed, np.full((3, 3), sentinel))).fit_
    assert "A few far rows" in str(fit)
    assert "Its volume is" not in str(fit)


@pytest.mark.parametrize("seed", [0, 1])
def test_correlated_columns_have_no_note_on_the_volume_of_the_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, 1)) + 1e-3 * rng.normal(size=(200, 3))
    assert "Its volume is" not in str(GaussianMixture(1, noise=True, random_state=0).fit(rows).fit_)


@pytest.mark.parametrize(("relative_volume", "has_note"), [(0.3, False), (1e-5, True)])
def test_a_noise_volume_is_compared_with_that_of_the_near_rows(relative_volume: float, has_note: bool) -> None:
    far_rows = np.where(np.eye(3) > 0, -9999.0, 5.0)  # the box of all rows has a volume of 1e12
    rows = _groups_and_far_rows(3, far_rows)
    near_volume = GaussianMixture(3, noise=True, random_state=0).fit(rows[:300]).noise_volume_
    fit = GaussianMixture(3, noise=relative_volume * near_volume, random_state=0).fit(rows).fit_
    assert ("Its volume is" in str(fit)) == has_note
