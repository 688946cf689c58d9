"""The number of segments: honest losses of customers who are left out, and the choice between ICL and BIC."""

from types import SimpleNamespace

import numpy as np
import pytest

from gaussmix.classification.churn.segment_number import (
    SegmentCandidate,
    choose_number,
    compare_numbers,
    leave_one_out_losses,
    smooth_rates,
)


def draw(seed, n=60, k=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(k, 0.5), n), (rng.random(n) < 0.4).astype(int)


@pytest.mark.parametrize("seed", range(3))
def test_losses_are_those_of_rates_without_the_customer(seed):
    memberships, labels = draw(seed)
    losses = leave_one_out_losses(memberships, labels, np.ones(60), np.ones(60))
    for row in range(60):
        others = np.arange(60) != row
        mass = memberships[others].sum(axis=0) + 1.0
        p = memberships[row] @ ((labels[others] @ memberships[others] + labels.mean()) / mass)
        assert losses[row] == pytest.approx(-np.log(p if labels[row] else 1.0 - p))


@pytest.mark.parametrize("seed", range(3))
def test_a_weight_is_a_number_of_copies(seed):
    memberships, labels = draw(seed)
    counts = np.random.default_rng(seed).integers(1, 4, 60)
    merged = leave_one_out_losses(memberships, labels, counts.astype(float), counts.astype(float))
    rows = np.repeat(np.arange(60), counts)
    copied = leave_one_out_losses(memberships[rows], labels[rows], np.ones(len(rows)), np.ones(len(rows)))
    np.testing.assert_allclose(merged[rows], copied, rtol=1e-12)


def test_rates_lie_between_those_of_the_segment_and_of_all():
    memberships, labels = draw(0)
    raw = labels @ memberships / memberships.sum(axis=0)
    smoothed = smooth_rates(memberships, labels, np.ones(60))
    assert (np.abs(smoothed - labels.mean()) < np.abs(raw - labels.mean())).all()


def make_candidates(losses, by_icl, by_bic, error=0.1):
    """Return candidates of 1, 2, ... segments with the best ICL and the best BIC at given numbers."""
    return tuple(
        SegmentCandidate(k, abs(k - by_bic), abs(k - by_icl), loss, error) for k, loss in enumerate(losses, start=1)
    )


def test_separate_groups_are_segments_even_if_they_do_not_differ_in_churn():
    assert choose_number(make_candidates([0.7, 0.7, 0.7, 0.7], by_icl=3, by_bic=3)) == 3


def test_groups_that_overlap_are_one_segment_unless_they_differ_in_churn():
    equal = make_candidates([0.7, 0.69, 0.68, 0.67], by_icl=2, by_bic=4, error=0.01)
    assert choose_number(equal) == 2
    assert choose_number(make_candidates([0.7, 0.69, 0.6, 0.59], by_icl=2, by_bic=4, error=0.01)) == 3


def test_churn_alone_makes_no_segments():
    assert choose_number(make_candidates([0.7, 0.5, 0.3, 0.1], by_icl=1, by_bic=1)) == 1
    assert choose_number(make_candidates([0.7, 0.5, 0.3, 0.1], by_icl=3, by_bic=2)) == 3


def test_errors_are_those_of_paired_differences():
    """The standard error of the difference from the best number, not that of a loss."""
    rng = np.random.default_rng(0)
    group, labels = rng.integers(0, 2, 4000), None
    labels = (rng.random(4000) < np.array([0.1, 0.2])[group]).astype(int)
    one, two = np.ones((4000, 1)), np.eye(2)[group]
    mixtures = [SimpleNamespace(mixture=SimpleNamespace(n_components=k), bic=-k, icl=k) for k in (1, 2)]
    first, second = compare_numbers(mixtures, [one, two], labels, np.ones(4000), np.ones(4000))
    losses = [leave_one_out_losses(each, labels, np.ones(4000), np.ones(4000)) for each in (one, two)]
    assert second.standard_error == 0.0
    assert first.standard_error == pytest.approx((losses[0] - losses[1]).std() / np.sqrt(4000))
    assert first.standard_error < 0.3 * losses[0].std() / np.sqrt(4000)
    assert choose_number((first, second)) == 2
