"""Loopy belief propagation: exact on trees, close elsewhere, and sound in the extremes."""

import numpy as np
import pytest

from gaussmix.tracking import marginals as module
from gaussmix.tracking.marginals import compute_marginals
from tests.tracking.brute_force import association_weights, dense_edges, exact_marginals


@pytest.fixture(params=["compiled", "numpy"])
def engine(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(module, "call_compiled_function", lambda name, *arguments: None)
    return request.param


def random_logs(rng, n_tracks, n_detections, spread=2.0):
    return (
        spread * rng.normal(size=(n_tracks, n_detections)),
        spread * rng.normal(size=n_tracks),
        spread * rng.normal(size=n_detections),
    )


def tree_mask(rng, n_tracks, n_detections):
    """Return random edges that form trees: each new node hangs on at most one node of the other kind."""
    mask = np.zeros((n_tracks, n_detections), dtype=bool)
    nodes = [("t", i) for i in range(n_tracks)] + [("d", j) for j in range(n_detections)]
    placed = {"t": [], "d": []}
    for kind, index in (nodes[k] for k in rng.permutation(len(nodes))):
        others = placed["d" if kind == "t" else "t"]
        if others and rng.random() < 0.9:
            other = others[rng.integers(len(others))]
            mask[(index, other) if kind == "t" else (other, index)] = True
        placed[kind].append(index)
    return mask


def largest_error(log_edges, log_missed, log_new):
    weights = association_weights(log_edges, log_missed, log_new)
    found, exact = compute_marginals(weights), exact_marginals(log_edges, log_missed, log_new)
    errors = (dense_edges(weights, found) - exact.edges, found.missed - exact.missed, found.new - exact.new)
    return max(np.abs(error).max(initial=0.0) for error in errors)


@pytest.mark.parametrize("spread", [1.0, 10.0])
def test_is_exact_on_trees(engine, spread):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        shape = rng.integers(1, 5, size=2)
        log_edges, log_missed, log_new = random_logs(rng, *shape, spread)
        log_edges[~tree_mask(rng, *shape)] = -np.inf
        assert largest_error(log_edges, log_missed, log_new) < 1e-9


def test_is_close_on_random_cycles(engine):
    errors = [largest_error(*random_logs(np.random.default_rng(seed), 3, 3, 1.0)) for seed in range(40)]
    assert max(errors) < 0.15
    assert max(errors) > 1e-6  # these graphs have cycles, so an exact result would mean that nothing was tested


def test_compiled_code_equals_numpy(monkeypatch):
    rng = np.random.default_rng(0)
    log_edges, log_missed, log_new = random_logs(rng, 30, 50, 3.0)
    log_edges[rng.random(log_edges.shape) < 0.8] = -np.inf
    weights = association_weights(log_edges, log_missed, log_new)
    compiled = compute_marginals(weights)
    monkeypatch.setattr(module, "call_compiled_function", lambda name, *arguments: None)
    for first, second in zip(compiled, compute_marginals(weights), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-9)


def test_scales_of_tracks_and_detections_do_not_matter(engine):
    rng = np.random.default_rng(3)
    log_edges, log_missed, log_new = random_logs(rng, 4, 5)
    plain = compute_marginals(association_weights(log_edges, log_missed, log_new))
    for scale in (1.0, 1e3):
        of_tracks, of_detections = scale * rng.normal(size=4), scale * rng.normal(size=5)
        scaled = compute_marginals(
            association_weights(
                log_edges + of_tracks[:, None] + of_detections, log_missed + of_tracks, log_new + of_detections
            )
        )
        for first, second in zip(plain, scaled, strict=True):
            np.testing.assert_allclose(first, second, atol=1e-9)


def test_order_of_detections_does_not_matter(engine):
    rng = np.random.default_rng(4)
    log_edges, log_missed, log_new = random_logs(rng, 4, 5)
    order = rng.permutation(5)
    weights = association_weights(log_edges, log_missed, log_new)
    permuted = association_weights(log_edges[:, order], log_missed, log_new[order])
    plain, other = compute_marginals(weights), compute_marginals(permuted)
    np.testing.assert_allclose(dense_edges(weights, plain)[:, order], dense_edges(permuted, other), atol=1e-6)


def test_probabilities_of_a_track_add_up_to_one(engine):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        weights = association_weights(*random_logs(rng, 4, 6, 5.0))
        found = compute_marginals(weights)
        sums = np.bincount(weights.tracks, found.edges, minlength=4) + found.missed
        np.testing.assert_allclose(sums, 1.0, atol=1e-12)


def test_graph_without_edges(engine):
    for n_tracks, n_detections in ((0, 0), (3, 0), (0, 2), (3, 2)):
        no_edges = np.full((n_tracks, n_detections), -np.inf)
        found = compute_marginals(association_weights(no_edges, np.full(n_tracks, -5.0), np.full(n_detections, -900.0)))
        np.testing.assert_array_equal(found.missed, np.ones(n_tracks))
        np.testing.assert_array_equal(found.new, np.ones(n_detections))


@pytest.mark.parametrize("log_small", [-30.0, -700.0, -np.inf])
def test_sure_detections_without_clutter(engine, log_small):
    log_edges = np.array([[0.0, -np.inf], [-1.0, -2.0]])  # the first track needs detection 0, so the second takes 1
    weights = association_weights(log_edges, np.full(2, log_small), np.full(2, log_small))
    found = compute_marginals(weights)
    np.testing.assert_allclose(dense_edges(weights, found), np.eye(2), atol=1e-9)
    np.testing.assert_allclose([*found.missed, *found.new], 0.0, atol=1e-9)


def test_small_probabilities_keep_their_digits(engine):
    log_missed = np.array([-60.0])
    found = compute_marginals(association_weights(np.zeros((1, 1)), log_missed, np.array([-70.0])))
    np.testing.assert_allclose(found.missed, np.exp(-130.0) / (1.0 + np.exp(-130.0)), rtol=1e-9)
    np.testing.assert_allclose(found.new, found.missed, rtol=1e-9)


@pytest.mark.parametrize("log_new", [-np.inf, 0.0])
def test_contradictory_data_give_finite_probabilities(engine, log_new):
    weights = association_weights(np.zeros((3, 2)), np.full(3, -np.inf), np.full(2, log_new))  # three for two
    for probabilities in compute_marginals(weights):
        assert np.isfinite(probabilities).all()
        assert ((probabilities >= 0.0) & (probabilities <= 1.0)).all()


@pytest.mark.parametrize("log_ratio", [0.0, 0.01, 0.1, 1.0])
@pytest.mark.parametrize("log_small", [-5.0, -15.0, -27.0])
def test_converges_for_two_close_tracks(engine, log_ratio, log_small):
    log_edges = np.array([[log_ratio, 0.0], [0.0, log_ratio]])
    weights = association_weights(log_edges, np.full(2, log_small), np.full(2, log_small))
    found = dense_edges(weights, compute_marginals(weights))
    np.testing.assert_allclose(found, found.T, atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=0), 1.0, atol=0.02)
