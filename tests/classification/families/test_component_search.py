"""The search over numbers of components finds the smallest loss, and always looks at one component per class."""

from collections.abc import Callable

import numpy as np
import pytest

from gaussmix.classification.families.component_search import ComponentCandidate, ComponentSearch, Counts, log_losses


class _Losses:
    """Losses of 200 rows whose mean is a function of the numbers; remembers what was asked."""

    def __init__(self, mean: Callable[[Counts], float], noise: float = 0.01) -> None:
        self.mean, self.noise = mean, noise
        self.calls: list[Counts] = []

    def __call__(self, counts: Counts) -> np.ndarray:
        self.calls.append(counts)
        noise = np.random.default_rng(sum(counts)).normal(size=200)
        return self.mean(counts) + self.noise * (noise - noise.mean())


def _run(losses: _Losses, most: Counts) -> tuple[ComponentCandidate, ...]:
    return ComponentSearch(losses, np.ones(200), most).run()


@pytest.mark.parametrize("best", [(1, 1), (2, 2), (3, 1), (1, 4), (6, 5), (8, 8)])
def test_the_best_numbers_of_a_convex_loss_are_found(best: Counts) -> None:
    losses = _Losses(
        lambda counts: 0.3 + sum(0.02 * (count - optimum) ** 2 for count, optimum in zip(counts, best, strict=True))
    )
    candidates = _run(losses, (8, 8))
    assert candidates[0].n_components == best
    assert candidates[0].log_loss == pytest.approx(0.3, abs=1e-12)
    assert candidates[0].standard_error == 0.0
    assert (1, 1) in [candidate.n_components for candidate in candidates]
    assert [candidate.log_loss for candidate in candidates] == sorted(candidate.log_loss for candidate in candidates)


@pytest.mark.parametrize("start", [(6, 5), (5, 5), (6, 3), (1, 1)])
def test_a_search_near_a_start_takes_steps_of_one(start: Counts) -> None:
    losses = _Losses(lambda counts: 0.3 + 0.02 * (counts[0] - 6) ** 2 + 0.02 * (counts[1] - 5) ** 2)
    candidates = ComponentSearch(losses, np.ones(200), (8, 8), start).run()
    assert candidates[0].n_components == (6, 5)
    assert losses.calls[0] == (1, 1)
    assert (8, 8) not in losses.calls
    assert len(losses.calls) <= 7 + sum(np.abs(np.subtract(start, (6, 5))))


def test_the_largest_numbers_are_kept_to() -> None:
    losses = _Losses(lambda counts: 1.0 / sum(counts))
    candidates = _run(losses, (5, 1, 2))
    assert candidates[0].n_components == (5, 1, 2)
    assert all(np.less_equal(candidate.n_components, (5, 1, 2)).all() for candidate in candidates)
    assert len(_run(losses, (1, 1, 1))) == 1


def test_no_loss_is_computed_twice() -> None:
    losses = _Losses(lambda counts: 1.0 + 1e-4 * sum(counts), noise=0.1)
    _run(losses, (4, 4))
    assert len(losses.calls) == len(set(losses.calls))


def test_the_ladder_ends_after_two_steps_without_gain() -> None:
    losses = _Losses(lambda counts: float(sum(counts)))
    _run(losses, (8, 8))
    assert losses.calls == [(1, 1), (2, 2), (3, 3), (2, 1), (1, 2)]


def test_standard_errors_are_those_of_paired_differences() -> None:
    losses = _Losses(lambda counts: 0.1 * sum(counts))
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 200)
    first, second = ComponentSearch(losses, weights, (2, 1)).run()
    difference = losses(second.n_components) - losses(first.n_components)
    deviations = weights * (difference - np.average(difference, weights=weights))
    assert second.standard_error == pytest.approx(np.sqrt((deviations**2).sum()) / weights.sum())


def test_log_losses_are_those_of_the_own_class() -> None:
    log_probabilities = np.log([[0.2, 0.8], [0.5, 0.5]])
    np.testing.assert_allclose(log_losses(log_probabilities, np.array([1, 0])), -np.log([0.8, 0.5]))
