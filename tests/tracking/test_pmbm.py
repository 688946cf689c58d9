"""The PMBM filter against all global hypotheses of short recordings, and against PMB."""

import itertools
from functools import cache

import numpy as np
import pytest

from gaussmix import Intensity, ParameterError
from gaussmix.tracking import (
    LMB,
    PMB,
    PMBM,
    Birth,
    Clutter,
    ConstantVelocity,
    PositionSensor,
    ReductionLimits,
    cluster_update,
)
from gaussmix.tracking.hypothesis_clusters import marginal_weights
from tests.tracking.brute_force import assignments
from tests.tracking.scenes import make_model, simulate_scene

SURVIVAL, DETECTION, CLUTTER, MASS = 0.9, 0.8, 2.0 / 400.0, 0.4
START, SPREAD = np.array([1.0, 0.5]), np.diag([9.0, 1.0])
KEEP_ALL = {"n_hypotheses": 10**7, "min_hypothesis_weight": 0.0, "report": "marginal"}


def small_model():
    """A model on a line: one place of birth, and so wide a gate that every detection fits every track."""
    return make_model(
        motion=ConstantVelocity(0.5, n_axes=1),
        sensor=PositionSensor(1.0, Clutter(2.0, 400.0), DETECTION, n_axes=1),
        birth=Birth(Intensity.from_parameters([MASS], means=[START], covariances=[SPREAD])),
        survival_probability=SURVIVAL,
        gate_probability=1.0 - 1e-15,
        limits=ReductionLimits(0.0, 1e-9, 10**6),
        undetected_limits=ReductionLimits(0.0, 1e-9, 10**6),
        min_existence=0.0,
        report_threshold=0.0,
    )


class Line:
    """Kalman filter steps on a line, written out."""

    transition = np.array([[1.0, 1.0], [0.0, 1.0]])
    noise = 0.25 * np.outer([0.5, 1.0], [0.5, 1.0])

    @classmethod
    def predict(cls, mean, covariance):
        return cls.transition @ mean, cls.transition @ covariance @ cls.transition.T + cls.noise

    @staticmethod
    def update(mean, covariance, z):
        variance = covariance[0, 0] + 1.0
        gain = covariance[:, 0] / variance
        density = np.exp(-0.5 * (z - mean[0]) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
        return density, mean + gain * (z - mean[0]), covariance - np.outer(gain, covariance[0])


def enumerate_posterior(scans):
    """Return existence and mean of the object of each detection, in order of scans, from all global hypotheses."""
    hypotheses, undetected = [(1.0, [])], []
    for scan in scans:
        undetected = [(SURVIVAL * w, *Line.predict(m, c)) for w, m, c in undetected] + [(MASS, START, SPREAD)]
        moved = [(w, [(SURVIVAL * r, *Line.predict(m, c)) for r, m, c in tracks]) for w, tracks in hypotheses]
        hypotheses = [new for weight, tracks in moved for new in _continue(weight, tracks, undetected, scan)]
        undetected = [((1 - DETECTION) * w, m, c) for w, m, c in undetected]
    total = sum(weight for weight, _ in hypotheses)
    existence = sum(w / total * np.array([r for r, _, _ in tracks]) for w, tracks in hypotheses)
    means = sum(w / total * np.array([r * m for r, m, _ in tracks]) for w, tracks in hypotheses)
    return existence, means / existence[:, None]


def _continue(weight, tracks, undetected, scan):
    """Return the hypotheses after a scan that come from one before it."""
    born = []
    for z in scan:
        parts = [(DETECTION * w, *Line.update(m, c, z)) for w, m, c in undetected]
        masses = np.array([w * density for w, density, _, _ in parts])
        mean = sum(mass * m for mass, (_, _, m, _) in zip(masses, parts, strict=True)) / masses.sum()
        spread = sum(
            mass * (c + np.outer(m - mean, m - mean)) for mass, (_, _, m, c) in zip(masses, parts, strict=True)
        )
        born.append((masses.sum(), mean, spread / masses.sum()))
    for columns in assignments(len(tracks), len(scan)):
        value, after = weight, []
        for (r, m, c), j in zip(tracks, columns, strict=True):
            if j < 0:
                value *= 1 - r * DETECTION
                after.append((r * (1 - DETECTION) / (1 - r * DETECTION), m, c))
            else:
                density, mean, covariance = Line.update(m, c, scan[j])
                value *= r * DETECTION * density
                after.append((1.0, mean, covariance))
        for j, (mass, mean, covariance) in enumerate(born):
            if j in columns:
                after.append((0.0, mean, covariance))
            else:
                value *= mass + CLUTTER
                after.append((mass / (mass + CLUTTER), mean, covariance))
        yield value, after


def marginals_of(state, n_tracks):
    """Return existence and mean of the track of each label."""
    hypotheses = state.hypotheses
    masses = marginal_weights(state.clusters, len(hypotheses)) * hypotheses.existence
    labels = hypotheses.labels - 1
    existence = np.bincount(labels, masses, minlength=n_tracks)
    components = hypotheses.components
    weights = masses[components.groups] * components.weights
    owners = labels[components.groups]
    means = [np.bincount(owners, weights * column, minlength=n_tracks) for column in components.means.T]
    return existence, np.array(means).T / existence[:, None]


def random_scans(seed, sizes):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.normal(1.0 + 0.5 * k, 3.0, size)) for k, size in enumerate(sizes)]


# Objects that were missed before their first detection have a mixture of states. It is merged here, as in the oracle.
@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 1, 2), (2, 0, 2), (1, 2, 1, 1)])
@pytest.mark.parametrize("n_scans", [None, 4])
def test_equals_all_global_hypotheses(sizes, n_scans):
    for seed in range(2):
        scans = random_scans(seed, sizes)
        model = small_model()
        merge_all = ReductionLimits(0.0, 1e3, 10**6)
        tracker = PMBM(make_model(**{**vars(model), "limits": merge_all}), n_scans=n_scans, **KEEP_ALL)
        for scan in scans:
            tracker.step(scan[:, None])
        existence, means = enumerate_posterior(scans)
        found, found_means = marginals_of(tracker.state, len(existence))
        np.testing.assert_allclose(found, existence, rtol=1e-9)
        np.testing.assert_allclose(found_means, means, rtol=1e-9, atol=1e-9)


def test_first_updates_equal_pmb_on_trees():
    first, second = PMB(small_model()), PMBM(small_model(), **KEEP_ALL)
    for scan in random_scans(3, (1, 4)):  # a track and four detections: a star
        one, other = first.step(scan[:, None]), second.step(scan[:, None])
        np.testing.assert_allclose(other.existence, one.existence, rtol=1e-9)
        np.testing.assert_allclose(other.states, one.states, rtol=1e-9)
        assert other.expected_number == pytest.approx(one.expected_number, rel=1e-9)
        assert other.detections.tolist() == one.detections.tolist()


def test_reports_the_best_hypothesis_or_marginals():
    scans, _ = simulate_scene(0, n_scans=16, clutter_rate=6.0)
    best, marginal = (PMBM(make_model(), report=report).run(scans) for report in ("best_hypothesis", "marginal"))
    for one, other in itertools.islice(zip(best, marginal, strict=True), 10, None):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.existence, other.existence)
        assert one.expected_number == other.expected_number


def test_clusters_do_not_share_detections():
    scans = [np.array([[x, y] for x in (-80.0, 0.0, 80.0) for y in (-50.0, 50.0)]) + 0.1 * k for k in range(6)]
    tracker = PMBM(make_model())
    estimates = tracker.run(scans)[-1]
    assert len(estimates) == 6
    existence = tracker.state.hypotheses.existence
    sure = [(existence[each.members[0]] > 0.5) & (each.members[0] >= 0) for each in tracker.state.clusters]
    assert max(is_sure.sum() for is_sure in sure) == 1


@cache
def count_hypotheses(**limits):
    """Return the numbers of single and of global hypotheses after three objects met."""
    rng = np.random.default_rng(0)
    tracker = PMBM(make_model(), **limits)
    for k in range(10):
        positions = [[-8.0 + k, -4.0 + 0.5 * k], [-8.0 + k, 4.0 - 0.5 * k], [-8.0 + k, 0.5]]
        tracker.step(positions + rng.normal(size=(3, 2)))
    return len(tracker.state.hypotheses), sum(len(each.weights) for each in tracker.state.clusters)


@pytest.mark.parametrize(
    "changes", [{"n_hypotheses": 2}, {"min_hypothesis_weight": 0.05}, {"n_scans": 0}, {"n_scans": None}]
)
def test_each_limit_changes_what_is_kept(changes):
    assert count_hypotheses(**changes) != count_hypotheses()


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"n_hypotheses": 0}, "n_hypotheses"),
        ({"n_hypotheses": 1.5}, "n_hypotheses"),
        ({"min_hypothesis_weight": 1.0}, "min_weight"),
        ({"min_hypothesis_weight": np.nan}, "min_weight"),
        ({"n_scans": -1}, "n_scans"),
        ({"report": "best"}, "report"),
    ],
)
def test_values_out_of_range_are_refused(changes, name):
    with pytest.raises(ParameterError, match=name):
        PMBM(make_model(), **changes)


def test_unexplained_detections_leave_finite_probabilities():
    place = Birth(Intensity.from_parameters([0.1], means=[np.zeros(4)], covariances=[np.eye(4)]))
    tracker = PMBM(make_model(birth=place, sensor=PositionSensor(1.0, Clutter(0.0, 1.0), 0.95)))
    for scan in ([[0.0, 0.0]], [[0.0, 0.1], [0.5, 0.0]], [[90.0, 90.0], [0.0, 0.0]], [], [[0.1, 0.0], [0.0, 0.2]]):
        estimates = tracker.step(scan)
        assert np.isfinite(estimates.states).all()
        assert ((estimates.existence >= 0.0) & (estimates.existence <= 1.0)).all()


@pytest.mark.parametrize("tracker", [PMB, LMB, PMBM])
@pytest.mark.parametrize("clutter_rate", [0.0, 5.0])
def test_regions_without_detections(tracker, clutter_rate):
    sensor = PositionSensor(1.0, Clutter(clutter_rate, 4e4), lambda positions: np.where(positions[:, 0] < 0, 0.0, 0.95))
    place = Intensity.from_parameters([0.1, 0.1], means=[[-20, 0, 0, 0], [10, 0, 0, 0]], covariances=[np.eye(4)] * 2)
    filtered = tracker(make_model(sensor=sensor, birth=Birth(place)))
    for k in range(8):  # the object becomes invisible at x = 0, and the last detections contradict the model
        estimates = filtered.step([[10.0 - 2.0 * k, 0.0], [-20.0, 0.1 * k], [50.0, 50.0]])
        assert np.isfinite(estimates.states).all()
        assert ((estimates.existence > 0.0) & (estimates.existence <= 1.0)).all()
    assert len(estimates) >= 1


@pytest.mark.parametrize("seed", range(2))
def test_large_clusters_are_updated_like_pmb(seed, monkeypatch):
    monkeypatch.setattr(cluster_update, "_MAX_RANKED_PAIRS", 0)
    scans, _ = simulate_scene(seed, n_scans=10, n_objects=5, clutter_rate=20.0)
    model = make_model(min_existence=1e-12)
    found = PMBM(model, n_hypotheses=10**6, min_hypothesis_weight=0.0, n_scans=0, report="marginal").run(scans)
    for one, other in zip(found, PMB(model).run(scans), strict=True):
        np.testing.assert_allclose(one.existence, other.existence, rtol=1e-5)
        np.testing.assert_allclose(one.states, other.states, rtol=1e-5, atol=1e-5)
        assert one.expected_number == pytest.approx(other.expected_number, rel=1e-5)


def test_large_clusters_are_close_to_ranked_ones(monkeypatch):
    scans, _ = simulate_scene(3, n_scans=20, clutter_rate=10.0)
    ranked = PMBM(make_model(), report="marginal").run(scans)
    monkeypatch.setattr(cluster_update, "_MAX_RANKED_PAIRS", 0)
    approximate = PMBM(make_model(), report="marginal").run(scans)
    numbers = np.array([[each.expected_number for each in estimates] for estimates in (ranked, approximate)])
    differences = np.abs(numbers[0] - numbers[1])
    assert 0.0 < max(differences) < 0.3
