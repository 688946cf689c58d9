"""OSPA and GOSPA: brute force over permutations, the laws of a metric, and published identities of their parts."""

from itertools import permutations, product

import numpy as np
import pytest

from gaussmix.errors import ParameterError, TrackInputError
from gaussmix.tracking import GOSPA, OSPA, average_over_frames, gospa, ospa

SEEDS = range(5)
ORDERS = [1, 1.5, 2, 4]


def random_sets(seed, n_sets, n_features=2):
    """Sets of 0 to 4 points, some of them farther apart than a cutoff of 5."""
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=4.0, size=(rng.integers(0, 5), n_features)) for _ in range(n_sets)]


def brute_force_ospa(first, second, cutoff, order):
    """Schuhmacher et al. 2008, equation 3: the best injection of the smaller set into the larger one."""
    small, large = sorted([first, second], key=len)
    if not len(large):
        return 0.0, 0.0, 0.0
    sums = [
        sum(min(np.linalg.norm(x - large[j]), cutoff) ** order for x, j in zip(small, choice, strict=True))
        for choice in permutations(range(len(large)), len(small))
    ]
    parts = [min(sums) / len(large), cutoff**order * (len(large) - len(small)) / len(large)]
    return tuple(part ** (1 / order) for part in (sum(parts), *parts))


def brute_force_gospa(first, second, cutoff, order):
    """Rahmathullah et al. 2017, proposition 1: the best set of pairs, for alpha = 2."""
    choices = product([None, *range(len(second))], repeat=len(first))
    best = (np.inf,)
    for choice in choices:
        used = [j for j in choice if j is not None]
        if len(set(used)) < len(used):
            continue
        localization = sum(
            np.linalg.norm(x - second[j]) ** order for x, j in zip(first, choice, strict=True) if j in used
        )
        false, missed = (cutoff**order / 2 * (len(points) - len(used)) for points in (first, second))
        best = min(best, (localization + missed + false, localization, missed + false, missed, false))
    return tuple(part ** (1 / order) for part in best)


def brute_force_gospa_of_other_alpha(first, second, cutoff, order, alpha):
    """Rahmathullah et al. 2017, definition 1: the best injection of the smaller set into the larger one."""
    small, large = sorted([first, second], key=len)
    sums = [
        sum(min(np.linalg.norm(x - large[j]), cutoff) ** order for x, j in zip(small, choice, strict=True))
        for choice in permutations(range(len(large)), len(small))
    ]
    return (min(sums) + cutoff**order / alpha * (len(large) - len(small))) ** (1 / order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_ospa_and_its_parts_are_those_of_the_best_permutation(seed, order):
    first, second = random_sets(seed, 2)
    found = ospa(first, second, cutoff=5.0, order=order)
    expected = brute_force_ospa(first, second, 5.0, order)
    np.testing.assert_allclose([found.distance, found.localization, found.cardinality], expected, rtol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_gospa_and_its_split_are_those_of_the_best_pairs(seed, order):
    first, second = random_sets(seed, 2)
    found = gospa(first, second, cutoff=5.0, order=order)
    expected = brute_force_gospa(first, second, 5.0, order)
    np.testing.assert_allclose(
        [found.distance, found.localization, found.cardinality, found.missed, found.false], expected, rtol=1e-12
    )


@pytest.mark.parametrize("alpha", [0.5, 1, 1.9, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_gospa_of_every_alpha_is_its_definition(seed, alpha):
    first, second = random_sets(seed, 2, n_features=3)
    found = gospa(first, second, cutoff=5.0, order=2, alpha=alpha)
    np.testing.assert_allclose(
        found.distance, brute_force_gospa_of_other_alpha(first, second, 5.0, 2, alpha), rtol=1e-12
    )
    assert (found.missed is None) == (alpha != 2)


@pytest.mark.parametrize("distance", [ospa, gospa])
@pytest.mark.parametrize("order", ORDERS)
def test_they_are_metrics(distance, order):
    for seed in range(20):
        first, second, third = random_sets(seed, 3)
        between = [distance(a, b, cutoff=5.0, order=order).distance for a, b in [(first, second), (second, third)]]
        direct = distance(first, third, cutoff=5.0, order=order).distance
        assert direct <= sum(between) * (1 + 1e-12)
        assert between[0] == pytest.approx(distance(second, first, cutoff=5.0, order=order).distance, rel=1e-12)
        assert distance(first, first[::-1], cutoff=5.0, order=order).distance == 0.0


@pytest.mark.parametrize("order", ORDERS)
def test_the_powers_of_the_parts_add_up(order):
    for seed in range(20):
        first, second = random_sets(seed, 2)
        found, split = (distance(first, second, cutoff=5.0, order=order) for distance in (ospa, gospa))
        assert found.distance <= 5.0 + 1e-12
        for value in (found, split):
            assert value.distance**order == pytest.approx(value.localization**order + value.cardinality**order)
        assert split.cardinality**order == pytest.approx(split.missed**order + split.false**order)


@pytest.mark.parametrize("distance", [ospa, gospa])
def test_missed_and_false_points_exchange_roles(distance):
    first, second = np.zeros((1, 2)), np.array([[0.0, 1.0], [50.0, 0.0]])
    there, back = distance(first, second, cutoff=5.0), distance(second, first, cutoff=5.0)
    assert there.distance == back.distance
    if distance is gospa:
        assert (there.missed, there.false) == (back.false, back.missed) == (pytest.approx(np.sqrt(12.5)), 0.0)


@pytest.mark.parametrize("distance", [ospa, gospa])
@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1e12, 1e200])
@pytest.mark.parametrize("order", ORDERS)
def test_units_do_not_matter(distance, unit, order):
    first, second = random_sets(1, 2)
    expected = distance(first, second, cutoff=5.0, order=order)
    found = distance(unit * first, unit * second, cutoff=5.0 * unit, order=order)
    assert found.distance / unit == pytest.approx(expected.distance, rel=1e-12)
    assert found.localization / unit == pytest.approx(expected.localization, rel=1e-12)


def test_points_beyond_every_number_are_at_the_cutoff():
    assert ospa([[-1.7e308, 0.0]], [[1.7e308, 0.0]], cutoff=1e-300).distance == pytest.approx(1e-300)


def test_empty_sets():
    assert ospa([], [], cutoff=5.0) == OSPA(0.0, 0.0, 0.0)
    assert gospa([], np.empty((0, 3)), cutoff=5.0) == GOSPA(0.0, 0.0, 0.0, 0.0, 0.0)
    assert ospa([], [[1.0, 2.0]], cutoff=5.0, order=2) == OSPA(5.0, 0.0, 5.0)
    assert gospa([[1.0, 2.0]], [], cutoff=6.0, order=1) == GOSPA(3.0, 0.0, 3.0, 0.0, 3.0)


def test_every_parameter_matters():
    first, second = [[0.0, 0.0], [9.0, 0.0]], [[0.0, 1.0]]
    assert ospa(first, second) == ospa(first, second, cutoff=100.0, order=1)
    assert ospa(first, second).distance == pytest.approx(50.5)
    assert ospa(first, second, cutoff=50.0).distance == pytest.approx(25.5)
    assert ospa(first, second, order=2).distance == pytest.approx(np.sqrt(5000.5))
    assert gospa(first, second, cutoff=4.0).distance == pytest.approx(3.0)
    assert gospa(first, second, cutoff=4.0, order=1).distance == pytest.approx(3.0)
    assert gospa(first, second, cutoff=4.0, order=1, alpha=1).distance == pytest.approx(5.0)


@pytest.mark.parametrize("distance", [ospa, gospa])
def test_average_over_frames_is_that_of_each_part(distance):
    estimated, true = random_sets(3, 6), random_sets(4, 6)
    found = average_over_frames(distance, estimated, true, cutoff=5.0)
    values = [distance(first, second, cutoff=5.0) for first, second in zip(estimated, true, strict=True)]
    assert found.distance == pytest.approx(np.mean([value.distance for value in values]))
    assert found.cardinality == pytest.approx(np.mean([value.cardinality for value in values]))
    assert type(found) is type(values[0])


def test_average_of_an_unsplit_gospa_has_no_split():
    assert average_over_frames(gospa, [[[0.0, 0.0]]], [[]], cutoff=1.0, alpha=1).missed is None


@pytest.mark.parametrize(
    ("estimated", "true", "message"),
    [
        ([[np.nan, 0.0]], [[0.0, 0.0]], "estimated must be finite, but has nan in row 0"),
        ([], [[0.0, 0.0], [0.0, np.inf]], "true must be finite, but has inf in row 1"),
        ([1.0, 2.0], [], r"estimated must have the shape \(n, p\).*but has \(2,\)"),
        ([[0.0, 1.0]], [[0.0, 1.0, 2.0]], "estimated points have 2 coordinates, but true points have 3"),
        ([["a", "b"]], [], "estimated must be numbers"),
        (np.ma.masked_invalid([[np.nan, 0.0]]), [], "estimated must be finite"),
    ],
)
@pytest.mark.parametrize("distance", [ospa, gospa])
def test_sets_that_are_no_points_are_refused(distance, estimated, true, message):
    with pytest.raises(TrackInputError, match=message):
        distance(estimated, true, cutoff=1.0)


@pytest.mark.parametrize("distance", [ospa, gospa])
@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.inf, np.nan, "5", True])
def test_cutoff_is_checked(distance, cutoff):
    with pytest.raises(ParameterError, match="cutoff must be a finite number above 0"):
        distance([], [], cutoff=cutoff)


@pytest.mark.parametrize("distance", [ospa, gospa])
@pytest.mark.parametrize("order", [0.5, np.inf, np.nan, None])
def test_order_is_checked(distance, order):
    with pytest.raises(ParameterError, match="order must be a finite number of at least 1"):
        distance([], [], cutoff=1.0, order=order)


@pytest.mark.parametrize("alpha", [0.0, 2.5, np.nan])
def test_alpha_is_checked(alpha):
    with pytest.raises(ParameterError, match="alpha must be a number above 0 and at most 2"):
        gospa([], [], cutoff=1.0, alpha=alpha)


def test_lists_of_frames_are_checked():
    with pytest.raises(TrackInputError, match="estimated has 1 frame, but true has 2"):
        average_over_frames(ospa, [[]], [[], []])
    with pytest.raises(TrackInputError, match="0 frames"):
        average_over_frames(ospa, [], [])
