"""Combination of components into clusters."""

from pathlib import Path

import numpy as np
import pytest
from scipy import special

from gaussmix import DataError, GaussianMixture, Mixture, ParameterError, combine
from gaussmix.errors import WeightError
from gaussmix.selection.combination import Combination, find_elbow_number
from gaussmix.types import ND

ROWS = np.loadtxt(Path(__file__).parents[2] / "examples/faithful.csv", delimiter=",", skiprows=1)

# mclust 6.0.0, Mclust(faithful, 6, "VVV"), rounded to ten digits; entropies, order and elbow are those of its combi and
# clustCombiOptim(reg = 2) from the responsibilities of these very parameters.
WEIGHTS = [0.1743453697, 0.1283442052, 0.1016272328, 0.2130931968, 0.07752079965, 0.3050691958]
MEANS = [
    [4.162639094, 85.73610056],
    [1.829131731, 52.51295232],
    [3.73351335, 71.83976097],
    [2.113615142, 55.49670298],
    [4.461823072, 83.00544944],
    [4.430404861, 77.51729473],
]
COVARIANCES = [
    [[0.1811153556, 1.248770863], [1.248770863, 19.94365657]],
    [[0.004187505258, -0.119418888], [-0.119418888, 25.97256938]],
    [[0.3594417686, 4.729207711], [4.729207711, 83.48585055]],
    [[0.04455445486, 0.3268883864], [0.3268883864, 35.41023045]],
    [[0.07105328484, 0.5339868034], [0.5339868034, 4.403125681]],
    [[0.0939418515, 0.398773679], [0.398773679, 12.54958054]],
]
ENTROPIES = [114.490384955381, 81.8957980267551, 52.7694815040207, 27.6165956772873, 4.37530125876928, 0.0]
MERGED_CLUSTERS = [None, ((2,), (5,)), ((0,), (2, 5)), ((1,), (3,)), ((0, 2, 5), (4,)), ((0, 2, 4, 5), (1, 3))]


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    """Return a mixture of six components for the Old Faithful rows."""
    return Mixture.from_parameters(WEIGHTS, MEANS, COVARIANCES)


@pytest.fixture(scope="module")
def combination(mixture: Mixture) -> Combination:
    """Return the combination of the six components on the Old Faithful rows."""
    return combine(mixture, ROWS)


def test_order_and_entropies_equal_mclust(combination: Combination) -> None:
    assert [solution.merged_clusters for solution in combination.solutions] == MERGED_CLUSTERS
    np.testing.assert_allclose([one.entropy for one in combination.solutions], ENTROPIES, rtol=1e-8, atol=1e-10)
    assert combination.suggested_n_clusters == 2
    assert np.bincount(combination.cluster_labels()).tolist() == [178, 94]


def test_solutions_are_consistent_with_the_mixture(combination: Combination, mixture: Mixture) -> None:
    soft = mixture.predict_proba(ROWS)
    for count in range(1, 7):
        solution, shares = combination.solution(count), combination.cluster_probabilities(count)
        assert shares.shape == (len(ROWS), count)
        assert sorted(k for members in solution.cluster_components for k in members) == list(range(6))
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
        for members, share in zip(solution.cluster_components, shares.T, strict=True):
            np.testing.assert_allclose(share, soft[:, list(members)].sum(axis=1), rtol=1e-12)
        assert solution.entropy == pytest.approx(special.entr(np.minimum(shares, 1.0)).sum(), rel=1e-9, abs=1e-9)
        np.testing.assert_array_equal(combination.cluster_labels(count), shares.argmax(axis=1))


def test_no_other_pair_lowers_the_entropy_more(combination: Combination) -> None:
    for before, after in zip(combination.solutions, combination.solutions[1:], strict=False):
        shares = combination.cluster_probabilities(before.n_clusters)
        for i in range(before.n_clusters):
            for j in range(i):
                rest = np.delete(shares, [i, j], axis=1)
                joined = np.column_stack([rest, np.minimum(shares[:, i] + shares[:, j], 1.0)])
                assert special.entr(joined).sum() >= after.entropy - 1e-9


def test_entropy_falls(combination: Combination) -> None:
    assert np.all(np.diff([solution.entropy for solution in combination.solutions]) <= 1e-12)


def test_weights_equal_repeated_rows(mixture: Mixture) -> None:
    weights = np.random.default_rng(0).integers(0, 3, len(ROWS))
    weighted, repeated = combine(mixture, ROWS, weights), combine(mixture, np.repeat(ROWS, weights, axis=0))
    assert [one.cluster_components for one in weighted.solutions] == [
        one.cluster_components for one in repeated.solutions
    ]
    ours, theirs = ([one.entropy for one in result.solutions] for result in (weighted, repeated))
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    assert ours[0] != pytest.approx(ENTROPIES[0], rel=1e-3)
    assert len(weighted.cluster_labels()) == len(ROWS)


@pytest.mark.parametrize("seed", range(3))
def test_order_and_units_of_the_rows_do_not_matter(mixture: Mixture, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(ROWS))
    shuffled = combine(mixture, ROWS[order])
    assert [one.merged_clusters for one in shuffled.solutions] == MERGED_CLUSTERS
    np.testing.assert_array_equal(shuffled.cluster_labels(3), combine(mixture, ROWS).cluster_labels(3)[order])
    scaled = Mixture.from_parameters(WEIGHTS, np.multiply(MEANS, 1e6), np.multiply(COVARIANCES, 1e12))
    np.testing.assert_allclose(
        [one.entropy for one in combine(scaled, ROWS * 1e6).solutions], ENTROPIES, rtol=1e-7, atol=1e-9
    )


def test_order_of_separated_components_does_not_depend_on_rounding() -> None:
    centers = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [50.0, 50.0]])
    separated = Mixture.from_parameters(np.full(4, 0.25), centers, np.tile(np.eye(2), (4, 1, 1)))
    rows = np.repeat(centers, 25, axis=0) + np.random.default_rng(0).normal(size=(100, 2))
    orders = [np.random.default_rng(seed).permutation(100) for seed in range(5)]
    joined = {
        tuple(solution.merged_clusters for solution in combine(separated, rows[order]).solutions) for order in orders
    }
    assert joined == {(None, ((0,), (1,)), ((0, 1), (2,)), ((0, 1, 2), (3,)))}


def test_fitted_estimator_equals_its_mixture() -> None:
    fitted = GaussianMixture(3, covariance_type="VVV", random_state=0).fit(ROWS)
    ours, theirs = combine(fitted, ROWS), combine(fitted.model_, ROWS)
    assert [one.cluster_components for one in ours.solutions] == [one.cluster_components for one in theirs.solutions]
    assert [one.entropy for one in ours.solutions] == [one.entropy for one in theirs.solutions]


def test_noise_is_never_merged() -> None:
    rng = np.random.default_rng(0)
    rows: ND = np.vstack([ROWS / ROWS.std(axis=0), rng.uniform(-10.0, 20.0, (60, 2))])
    fitted = GaussianMixture(3, noise=True, random_state=0).fit(rows)
    result = combine(fitted, rows)
    assert result.cluster_probabilities(1).shape == (len(rows), 2)
    assert set(result.cluster_labels(1)) == {-1, 0}
    np.testing.assert_array_equal(result.cluster_labels(3), fitted.predict(rows))
    soft = fitted.predict_proba(rows)
    assert result.solutions[0].entropy == pytest.approx(special.entr(soft).sum(), rel=1e-9)
    assert result.solutions[-1].entropy > 0.0


def test_one_component_is_one_cluster() -> None:
    result = combine(Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)]), ROWS)
    assert (result.suggested_n_clusters, len(result.solutions)) == (1, 1)
    assert not result.cluster_labels().any()


def test_table_and_repr(combination: Combination) -> None:
    assert [row["n_clusters"] for row in combination.table()] == [6, 5, 4, 3, 2, 1]
    assert [row["n_clusters"] for row in combination.table() if row["suggested"]] == [2]
    assert repr(combination).splitlines()[0] == "Combination of 6 components, 2 suggested"
    assert repr(combination).splitlines()[5] == "  2: entropy 4.3753, {0,2,4,5} {1,3}"


def test_invalid_input_raises(mixture: Mixture, combination: Combination) -> None:
    with pytest.raises(ParameterError, match=r"mixture must be a Mixture or a fitted estimator \(call fit first"):
        combine(GaussianMixture(2), ROWS)
    with pytest.raises(DataError, match=r"the data have 1 column, but the model was fitted to 2"):
        combine(mixture, ROWS[:, :1])
    with pytest.raises(WeightError, match=r"sample_weight must have the shape \(272,\)"):
        combine(mixture, ROWS, [1.0, 2.0])
    for count in (0, 1.5, True):
        with pytest.raises(ParameterError, match=r"n_clusters must be a whole number of at least 1"):
            combination.cluster_labels(count)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"n_clusters must be at most 6, the number of components, but is 7"):
        combination.cluster_probabilities(7)


@pytest.mark.parametrize(("values", "bend"), [([3.0], 1), ([0.0, 3.0], 2), ([0.0, 1.0, 9.0], 2)])
def test_elbow_of_few_values(values: list[float], bend: int) -> None:
    assert find_elbow_number(values) == bend


@pytest.mark.parametrize("bend", [2, 3, 4, 5])
def test_elbow_of_two_lines(bend: int) -> None:
    places = np.arange(1.0, 7.0)
    assert find_elbow_number((np.maximum(places - bend, 0.0) + 0.1 * places).tolist()) == bend
