"""The online mixture: densities against SciPy, moments against NumPy, forgetting, units."""

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import multivariate_t

from gaussmix.anomaly.online_mixture import OnlineMixture
from gaussmix.anomaly.rank_window import RankWindow


def learn(mixture: OnlineMixture, rows: np.ndarray) -> np.ndarray:
    surprises = []
    for row in rows:
        surprises.append(mixture.score(row))
        mixture.learn(row)
    return np.array(surprises)


@pytest.mark.parametrize("n_features", [1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_component_predicts_the_student_t_of_all_rows(n_features, seed):
    """With one component that never forgets, mean and scatter are those of all rows: an oracle by SciPy.

    Uniform rows are never far from their mean, so that none replaces the component.
    """
    rows = np.random.default_rng(seed).uniform(size=(40, n_features))
    mixture = OnlineMixture(n_features, 1, half_life=1e12)
    surprises = learn(mixture, rows)
    before, new = rows[:-1], rows[-1]
    n_rows, variance = len(before), rows[:-1].var(axis=0)
    scatter = (before - before.mean(axis=0)).T @ (before - before.mean(axis=0)) + 3.0 * np.diag(variance)
    freedom = 3.0 + n_rows
    shape = scatter * (1.0 + 1.0 / n_rows) / freedom
    expected = -multivariate_t(before.mean(axis=0), shape, df=freedom).logpdf(new)
    assert surprises[-1] == pytest.approx(expected - 0.5 * np.log(rows.var(axis=0)).sum(), abs=1e-9)


def test_density_integrates_to_one():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(200, 1)), rng.normal(8.0, 0.3, size=(100, 1))])
    mixture = OnlineMixture(1, 8, half_life=100)
    learn(mixture, rows)
    tensors = {name: tensor.copy() for name, tensor in mixture.to_tensors().items()}

    def density(x: float) -> float:
        mixture.set_tensors(tensors)
        surprise = mixture.score(np.array([x]))
        return float(np.exp(-surprise) / np.sqrt(mixture.to_tensors()["row_variance"][0]))

    grid = np.linspace(-40.0, 60.0, 20001)
    assert integrate.trapezoid([density(x) for x in grid], grid) == pytest.approx(1.0, abs=5e-3)


def test_groups_get_components_and_are_forgotten():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.0, 0.1, size=(300, 2)), rng.normal(50.0, 0.1, size=(300, 2))
    mixture = OnlineMixture(2, 4, half_life=20)
    learn(mixture, first)
    learn(mixture, second)
    assert mixture.score(np.full(2, 50.0)) < mixture.score(np.zeros(2)) - 5.0
    long_memory = OnlineMixture(2, 4, half_life=2000)
    learn(long_memory, np.concatenate([first, second]))
    assert long_memory.score(np.full(2, 50.0)) > long_memory.score(np.zeros(2)) - 5.0


def test_at_most_so_many_components_are_used():
    mixture = OnlineMixture(1, 3, half_life=100)
    learn(mixture, 10.0 ** np.arange(12)[:, None])
    assert mixture.to_tensors()["counters"][0] == 3
    assert np.isfinite(mixture.score(np.array([1.0])))


def test_a_short_memory_stays_finite_and_normalised():
    """The weights of the components add up to that of all rows that no replaced component held."""
    rows = np.cumsum(np.random.default_rng(0).standard_cauchy(size=(2000, 1)), axis=0)
    mixture = OnlineMixture(1, 4, half_life=3)
    assert np.isfinite(learn(mixture, rows)).all()
    tensors = mixture.to_tensors()
    mass = tensors["mass"] * 0.5 ** ((tensors["counters"][1] - tensors["last_row"]) / 3)
    assert tensors["counters"][2] == pytest.approx(mass.sum(), rel=1e-9)


def test_factors_survive_rows_of_much_larger_variance():
    """Scatter of old, large, collinear rows is beyond rounding of the variance now."""
    rows = np.concatenate([np.outer(1e9 * np.arange(1.0, 30.0), [1.0, 1.0]), np.zeros((400, 2)), np.full((3, 2), 1e-9)])
    assert np.isfinite(learn(OnlineMixture(2, 4, half_life=5), rows)).all()


@pytest.mark.parametrize("seed", range(3))
def test_rank_window_counts_the_last_values(seed):
    values = np.random.default_rng(seed).integers(0, 20, size=300).astype(float)
    window = RankWindow(50)
    for index, value in enumerate(values):
        kept = values[max(0, index - 50) : index]
        assert window.p_value(value) == (1 + np.sum(kept >= value)) / (1 + len(kept))
        window.append(value)
    np.testing.assert_array_equal(window.to_array(), values[-50:])


def test_differences_of_rounding_are_ties():
    window = RankWindow(10)
    window.append(1.0)
    assert window.p_value(1.0 + 1e-9) == 1.0
    assert window.p_value(1.0 + 1e-3) == 0.5


def test_limits_keep_wild_rows_out_of_the_variance_of_all_rows():
    rows = np.random.default_rng(0).normal(size=(200, 2))
    mixture, plain = OnlineMixture(2, 4, half_life=1000), OnlineMixture(2, 4, half_life=1000)
    for each in (mixture, plain):
        learn(each, np.concatenate([rows, [[1e6, 0.0]]]))
    assert mixture.to_tensors()["row_variance"][0] > 1e9
    mixture.limit_rows(np.array([[-10.0, -np.inf], [10.0, np.inf]]), rows)
    np.testing.assert_allclose(mixture.to_tensors()["row_variance"][0], rows[:, 0].var())
    assert mixture.to_tensors()["row_variance"][1] == plain.to_tensors()["row_variance"][1]  # that was right already
    mixture.score(np.array([1e6, 0.0]))
    assert mixture.to_tensors()["row_variance"][0] < 3.0


def test_other_units_change_only_the_unit_of_the_surprise():
    rows = np.random.default_rng(0).normal(size=(100, 2))
    mixture, other = OnlineMixture(2, 4, half_life=1000), OnlineMixture(2, 4, half_life=1000)
    shift, factor = np.array([1.0, -2.0]), np.array([2.0**60, 0.125])
    for each in (mixture, other):
        learn(each, rows[:50])
    mixture.change_units(np.zeros(2), np.ones(2))  # factorises all components by the present variance
    other.change_units(shift, factor)
    np.testing.assert_allclose(learn(other, (rows[50:] - shift) * factor), learn(mixture, rows[50:]), rtol=1e-9)
