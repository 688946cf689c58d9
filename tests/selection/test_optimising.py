"""Solvers side by side: one start, one goal, and a record that says of each what is true."""

from typing import Any

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.covariance.structure import Structure
from gaussmix.model.problem import Problem, source_of
from gaussmix.selection.optimising import DEFAULT_SOLVERS, NEAR, Optimised, named_solvers, side_by_side
from gaussmix.solvers import AbsoluteGain
from gaussmix.solvers.start import automatic
from gaussmix.solvers.table import EXACT, NONE, SOLVERS, SUMMED

STOPPING = AbsoluteGain(1e-8, 300)
TRUE = Mixture.from_parameters([0.4, 0.6], [[0.0, 0.0], [6.0, 1.0]], [np.eye(2), [[2.0, 0.8], [0.8, 1.0]]])


def climbed(seed: int, names: Any, stopping: AbsoluteGain = STOPPING) -> tuple[Any, tuple[Optimised, ...], Problem]:
    rows = TRUE.sample(400, seed)[0]
    problem = Problem.of(source_of(rows), Structure.parse("VVV"))
    start = automatic(problem, "kmeans", 2, np.random.default_rng(seed))
    told: list[Any] = []
    return told, side_by_side(problem, start, names, stopping, seed, lambda *words: told.append(words)), problem


@pytest.mark.parametrize("seed", range(3))
def test_default_solvers_reach_one_optimum_of_separated_groups(seed: int) -> None:
    told, found, _ = climbed(seed, DEFAULT_SOLVERS)
    assert [one.solver for one in found] == list(DEFAULT_SOLVERS) == [name for _, _, name in told]
    assert told[0] == (0, len(DEFAULT_SOLVERS), "em")
    assert all(0.0 <= one.gap < 1e-5 for one in found)
    assert min(one.gap for one in found) == 0.0
    first = [one.values[0] for one in found if one.curve == EXACT]
    assert first == pytest.approx([first[0]] * len(first), rel=1e-12)


def test_every_solver_has_a_record_of_the_likelihood_itself() -> None:
    _, found, problem = climbed(0, list(SOLVERS))
    rows = problem.source.frame.restore_points(problem.source.gather()[0])
    assert [one.solver for one in found] == list(SOLVERS)
    for one in found:
        assert one.passes == len(one.values) == len(one.times)
        assert one.seconds == one.times[-1] > 0
        assert (np.diff(one.times) >= 0).all()
        assert one.log_likelihood < TRUE.log_density(rows).sum() + 50
        assert "pass" in one.outcome
    best = max(one.log_likelihood for one in found)
    assert [one.gap for one in found] == pytest.approx([(best - one.log_likelihood) / 400 for one in found])
    curves = {one.solver: one.curve for one in found}
    assert curves["cem"] == NONE
    assert {name for name, curve in curves.items() if curve == SUMMED} == {"adam", "sgd", "annealing"}


def test_when_a_solver_comes_near() -> None:
    _, found, _ = climbed(1, ["em", "sgd", "cem"], AbsoluteGain(1e-8, 30))
    em, best = found[0], max(one.log_likelihood for one in found)
    assert em.near_passes is not None
    late = em.values[em.near_passes - 1 :]
    assert (np.abs(best - late) <= 400 * NEAR).all()
    assert em.near_passes == 1 or best - em.values[em.near_passes - 2] > 400 * NEAR
    assert em.near_seconds == em.times[em.near_passes - 1]
    cem = found[2]
    assert cem.gap > NEAR
    assert cem.near_passes is None
    assert cem.near_seconds is None


def test_passes_used_up_are_said() -> None:
    _, (em,), _ = climbed(0, ["em"], AbsoluteGain(0.0, 3))
    assert (em.passes, em.converged) == (3, False)
    assert "used up" in em.outcome


def test_names_are_checked_and_each_taken_once() -> None:
    assert named_solvers("cem") == ["cem"]
    assert named_solvers(["em", "lbfgs", "em"]) == ["em", "lbfgs"]
    with pytest.raises(ValueError, match=r"solvers must be one of em, squarem.*but is 'newton'"):
        named_solvers(["em", "newton"])
    with pytest.raises(ValueError, match="solvers must be one or more of em"):
        named_solvers([])
