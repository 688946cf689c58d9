"""Objects that appear beside others."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from benchmarks.tracking_scenarios import make_spawning_scenario
from gaussmix.errors import ParameterError
from gaussmix.tracking import GMCPHD, GMPHD, PMB, PMBM, Spawn
from gaussmix.tracking.components import Components
from tests.tracking.intensity_scenes import make_anywhere_model, make_place_model, mean_ospa


def test_spawned_components_follow_the_formula() -> None:
    rng = np.random.default_rng(0)
    matrix, offset, root = rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=(2, 2))
    parents = Components(
        np.array([3, 4]), np.array([0.5, 2.0]), rng.normal(size=(2, 2)), np.stack([np.eye(2)] * 2), np.zeros(2, int)
    )
    spawned = Spawn(0.1, root @ root.T, matrix, offset).make_components(parents, dt=2.0)
    np.testing.assert_allclose(spawned.weights, [0.1, 0.4])
    for row in range(2):
        np.testing.assert_allclose(spawned.means[row], matrix @ parents.means[row] + offset)
        np.testing.assert_allclose(spawned.covariances[row], matrix @ matrix.T + root @ root.T)
    assert spawned.groups.tolist() == [0, 0]


@pytest.mark.parametrize("make", [GMPHD, GMCPHD, PMB, PMBM])
def test_object_far_from_births_is_found_only_if_it_may_be_spawned(make: Callable[..., Any]) -> None:
    parent = [[10.0, 10.0]]
    scans = [parent] * 8 + [[*parent, [40.0, 40.0]]] * 6
    spawn = Spawn(0.1, np.diag([4.0, 1.0, 4.0, 1.0]), offset=[30.0, 0.0, 30.0, 0.0])
    with_spawn, without = (make(make_place_model(), spawn=value).run(scans)[-1] for value in (spawn, ()))
    np.testing.assert_allclose(np.sort(with_spawn.positions[:, 0]), [10.0, 40.0], atol=1.0)
    assert len(set(with_spawn.labels.tolist())) == 2
    assert len(without) == 1


@pytest.mark.parametrize("make", [GMPHD, PMB, PMBM])
def test_several_spawns_add_up(make: Callable[..., Any]) -> None:
    spawn = Spawn(0.2, np.eye(4))
    one, two = (make(make_place_model(), spawn=[spawn] * n).run([[], [], []])[-1].expected_number for n in (1, 2))
    assert two > one > make(make_place_model()).run([[], [], []])[-1].expected_number


@pytest.mark.parametrize(
    "make",
    [GMPHD, partial(GMPHD, report="standard"), GMCPHD, PMB, PMBM],
    ids=["labelled", "standard", "cphd", "pmb", "pmbm"],
)
def test_third_object_of_the_published_example_is_found(make: Callable[..., Any]) -> None:
    scenario = make_spawning_scenario()
    truth, found = scenario.truth(), []
    for seed in range(3):
        estimates = make(scenario.model, spawn=scenario.spawn).run(scenario.simulate(seed))
        third = [objects.positions[2] for objects in truth[69:]]
        gaps = [
            np.linalg.norm(scan.positions - place, axis=1).min(initial=np.inf)
            for scan, place in zip(estimates[69:], third, strict=True)
        ]
        found.append(np.mean(np.array(gaps) < 40.0))
        assert mean_ospa(estimates, truth)[0] < 25.0
    assert np.mean(found) > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1, np.eye(4)), "weight"),
        ((np.nan, np.eye(4)), "weight"),
        ((0.1, np.ones((4, 3))), "covariance"),
        ((0.1, np.zeros((0, 0))), "covariance"),
        ((0.1, -np.eye(4)), "covariance"),
        ((0.1, np.triu(np.ones((4, 4)))), "symmetric"),
        ((0.1, np.full((4, 4), np.nan)), "covariance"),
        ((0.1, np.eye(4), np.eye(3)), "matrix"),
        ((0.1, np.eye(4), None, np.zeros(3)), "offset"),
    ],
)
def test_bad_spawns_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Spawn(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [GMPHD, GMCPHD, PMB, PMBM])
def test_singular_covariance_is_allowed_and_wrong_states_are_refused(make: Callable[..., Any]) -> None:
    assert Spawn(0.1, np.zeros((4, 4))).n_states == 4
    with pytest.raises(ParameterError, match="the spawn"):
        make(make_anywhere_model(), spawn=Spawn(0.1, np.eye(2)))
