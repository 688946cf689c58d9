"""OSPA(2) of sets of tracks: brute force from its definition, and the laws of a metric."""

from itertools import permutations

import numpy as np
import pytest

from gaussmix.errors import ParameterError, TrackEvaluationError, TrackInputError
from gaussmix.tracking import OSPA, TrackTable, ospa, ospa2
from tests.tracking.labelled_scenes import random_scene

CUTOFF = 20.0


def track_distance(first, second):
    """Beard, Vo & Vo 2020: the average OSPA of single points over the frames in which either track exists."""
    distances = []
    for frame in np.union1d(first.frame, second.frame).tolist():
        points = [track.select_frames(frame, frame).points for track in (first, second)]
        distances.append(ospa(*points, cutoff=CUTOFF).distance)
    return np.mean(distances)


def brute_force_ospa2(first, second, order):
    tracks = [[table.select_rows(table.label == k) for k in np.unique(table.label)] for table in (first, second)]
    small, large = sorted(tracks, key=len)
    if not large:
        return 0.0
    distances = np.array([[track_distance(a, b) for b in large] for a in small]).reshape(len(small), len(large))
    best = min(
        sum(distances[i, j] ** order for i, j in enumerate(choice))
        for choice in permutations(range(len(large)), len(small))
    )
    return ((best + CUTOFF**order * (len(large) - len(small))) / len(large)) ** (1 / order)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_its_definition(seed, order):
    truth, tracks = (table.select_frames(8, 13) for table in random_scene(seed, n_objects=3))
    found = ospa2(tracks, truth, cutoff=CUTOFF, order=order)
    assert found.distance == pytest.approx(brute_force_ospa2(tracks, truth, order), rel=1e-12)
    assert found.distance**order == pytest.approx(found.localization**order + found.cardinality**order)


@pytest.mark.parametrize("order", [1, 2])
def test_it_is_a_metric(order):
    for seed in range(6):
        first, second = random_scene(seed)
        third = random_scene(seed + 50)[1]
        legs = [ospa2(a, b, CUTOFF, order).distance for a, b in [(first, second), (second, third), (first, third)]]
        assert legs[2] <= (legs[0] + legs[1]) * (1 + 1e-12)
        assert max(legs) <= CUTOFF + 1e-12
        assert ospa2(second, first, CUTOFF, order).distance == pytest.approx(legs[0], rel=1e-12)
        assert ospa2(first, first, CUTOFF, order).distance == 0.0


def test_labels_and_order_of_rows_do_not_matter():
    truth, tracks = random_scene(0)
    rows = np.random.default_rng(1).permutation(len(tracks))
    renamed = TrackTable(tracks.frame[rows], 500 - tracks.label[rows], positions=tracks.positions[rows])
    assert ospa2(renamed, truth, CUTOFF).distance == pytest.approx(ospa2(tracks, truth, CUTOFF).distance, rel=1e-12)


def test_a_broken_identity_costs():
    """OSPA of each frame is 0 here: only the distance of tracks sees the exchange."""
    positions = np.zeros((10, 2))
    truth = TrackTable(np.arange(10), np.ones(10), positions=positions)
    broken = TrackTable(np.arange(10), np.repeat([1, 2], 5), positions=positions)
    found = ospa2(broken, truth, cutoff=10.0)
    assert (found.localization, found.cardinality) == (2.5, 5.0)


def test_boxes_count_by_their_centers():
    truth = TrackTable([1], [1], boxes=[[0.0, 0.0, 4.0, 2.0]])
    assert ospa2(TrackTable([1], [3], positions=[[2.0, 4.0]]), truth).distance == 3.0


def test_empty_tables():
    empty, one = TrackTable([], [], positions=[]), TrackTable([1], [1], positions=[[0.0, 0.0]])
    assert ospa2(empty, empty) == OSPA(0.0, 0.0, 0.0)
    assert ospa2(empty, one, cutoff=7.0) == OSPA(7.0, 0.0, 7.0)
    assert ospa2(one, one.select_frames(2, 3), cutoff=7.0) == OSPA(7.0, 0.0, 7.0)


def test_bad_input_is_refused():
    one, solid = TrackTable([1], [1], positions=[[0.0, 0.0]]), TrackTable([1], [1], positions=[[0.0, 0.0, 0.0]])
    with pytest.raises(TrackInputError, match="2 coordinates, but true points have 3"):
        ospa2(one, solid)
    with pytest.raises(TrackEvaluationError, match="estimated has 1 row of label -1"):
        ospa2(TrackTable([1], [-1], positions=[[0.0, 0.0]]), one)
    with pytest.raises(ParameterError, match="cutoff"):
        ospa2(one, one, cutoff=0.0)
