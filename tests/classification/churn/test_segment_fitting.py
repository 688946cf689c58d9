"""Segments: planted groups are found, labels order them and choose their number, and nothing else."""

import numpy as np
import pytest

from gaussmix.classification import MixtureClassifier
from gaussmix.classification.churn import segment_fitting
from gaussmix.classification.churn.segment_fitting import SegmentCandidate, _choose_number, fit_segments
from tests.classification.churn.customers import make_customers, select_rows

SEED, N_ROWS = 1, 300


@pytest.fixture
def few(monkeypatch):
    """Up to four segments are compared, which takes less time."""
    monkeypatch.setattr(segment_fitting, "MAX_SEGMENTS", 4)


@pytest.fixture
def three(monkeypatch):
    """Three segments without a comparison of numbers."""
    monkeypatch.setattr(segment_fitting, "_compare_numbers", lambda labelled, seed: ())
    monkeypatch.setattr(segment_fitting, "_choose_number", lambda candidates: 3)


@pytest.fixture(scope="module")
def fitted():
    """Encoded customers with a classifier that gives schema and layout."""
    table, has_left, group = make_customers(N_ROWS, seed=3)
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None).fit(table, has_left)
    return classifier.model_, classifier.model_.encode(table), has_left, group


def memberships(model, encoded):
    return np.exp(model.log_probabilities(encoded))


def test_planted_groups_are_found_in_the_order_of_their_rates(fitted):
    model, encoded, has_left, group = fitted
    fit = fit_segments(model, encoded, has_left, np.ones(N_ROWS), SEED)
    found = memberships(fit.model, encoded)
    assert fit.model.n_classes == 3
    assert (found.argmax(axis=1) == group).mean() > 0.98  # groups are numbered by falling rates, too
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert [candidate.n_segments for candidate in fit.candidates] == [2, 3, 4, 5, 6, 7, 8]
    losses = {candidate.n_segments: candidate.log_loss for candidate in fit.candidates}
    assert losses[3] < losses[2] - 0.02


@pytest.mark.usefixtures("three")
def test_labels_are_no_part_of_the_mixture(fitted):
    """Who left and who stayed change places: the same segments in reverse order."""
    model, encoded, has_left, _ = fitted
    first, second = (fit_segments(model, encoded, y, np.ones(N_ROWS), SEED).model for y in (has_left, ~has_left))
    np.testing.assert_allclose(memberships(first, encoded), memberships(second, encoded)[:, ::-1], atol=1e-6)


@pytest.mark.usefixtures("few")
def test_a_weight_is_a_number_of_copies_in_any_order(fitted):
    model, encoded, has_left, _ = fitted
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 4, N_ROWS)
    first = fit_segments(model, encoded, has_left, counts.astype(float), SEED)
    copies = rng.permutation(np.repeat(np.arange(N_ROWS), counts))
    second = fit_segments(model, encoded.select_rows(copies), has_left[copies], np.ones(len(copies)), SEED)
    np.testing.assert_allclose(memberships(first.model, encoded), memberships(second.model, encoded), atol=1e-9)


@pytest.mark.usefixtures("few")
def test_the_seed_changes_starts_and_folds(fitted):
    model, encoded, has_left, _ = fitted
    first, second = (fit_segments(model, encoded, has_left, np.ones(N_ROWS), seed) for seed in (1, 2))
    assert first.candidates != second.candidates


@pytest.mark.parametrize(("n_rows", "n_candidates"), [(30, 0), (45, 1), (70, 2)])
def test_few_customers_make_few_segments(n_rows, n_candidates):
    table, has_left, _ = make_customers(n_rows, seed=4)
    has_left[:5] = [True, False, True, False, True]
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None).fit(table, has_left)
    encoded = classifier.model_.encode(table)
    fit = fit_segments(classifier.model_, encoded, has_left, np.ones(n_rows), SEED)
    assert len(fit.candidates) == n_candidates
    assert fit.model.n_classes <= max(1, n_rows // 20)
    assert np.isfinite(memberships(fit.model, encoded)).all()


def test_customers_without_a_useful_column_are_one_segment():
    rng = np.random.default_rng(0)
    table = {"plan": rng.choice(np.array(["a", "b", "c", "d"], dtype=object), 300)}
    has_left = rng.random(300) < 0.3
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None).fit(table, has_left)
    assert len(classifier.model_.categories) == 0
    fit = fit_segments(classifier.model_, classifier.model_.encode(table), has_left, np.ones(300), SEED)
    assert fit.model.n_classes == 1


def test_the_smallest_number_within_one_standard_error_is_chosen():
    def choose(*losses, error=0.1):
        return _choose_number(tuple(SegmentCandidate(k + 2, loss, error) for k, loss in enumerate(losses)))

    assert choose(1.0, 0.75, 0.7, 0.65) == 3
    assert choose(1.0, 0.75, 0.7, 0.65, error=0.04) == 5
    assert choose(0.65, 0.75) == 2
    assert choose(np.nan) == 2
    assert choose() == 1


def test_customers_who_never_leave_are_one_class(fitted):
    """Two customers who left are too few for folds: the smallest number of segments is taken."""
    model, encoded, _, _ = fitted
    has_left = np.zeros(N_ROWS, dtype=bool)
    has_left[[3, 77]] = True
    fit = fit_segments(model, encoded, has_left, np.ones(N_ROWS), SEED)
    assert fit.model.n_classes == 2
    assert [np.isnan(candidate.log_loss) for candidate in fit.candidates] == [True]


@pytest.mark.usefixtures("three")
def test_missing_cells_are_left_out(fitted):
    model, _, has_left, group = fitted
    table, _, _ = make_customers(N_ROWS, seed=3)
    table = {name: np.array(values, dtype=object) for name, values in table.items()}
    rng = np.random.default_rng(2)
    for values in table.values():
        values[rng.random(N_ROWS) < 0.3] = None
    encoded = model.encode(table)
    fit = fit_segments(model, encoded, has_left, np.ones(N_ROWS), SEED)
    assert (memberships(fit.model, encoded).argmax(axis=1) == group).mean() > 0.85
    assert select_rows(table, [0]).keys() == table.keys()


def make_copies(n_copies, rates):
    """Return ``n_copies`` customers of each of 12 kinds in 3 groups, and who left: fractions ``rates`` (3,) of a kind.

    The groups are far apart, and the kinds of a group have the same rate.
    """
    centers = np.repeat([[2.0, 80.0], [20.0, 20.0], [55.0, 50.0]], 4, axis=0)
    kinds = np.repeat(centers + np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (3, 1)), n_copies, axis=0)
    has_left = np.concatenate([np.arange(n_copies) < rate * n_copies for rate in np.repeat(rates, 4)])
    return {"months": kinds[:, 0], "price": kinds[:, 1]}, has_left


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equal_customers_are_held_out_apart_from_each_other(seed):
    """All that a held-out customer of a known kind can lose is the entropy of the rate, with the error of chance."""
    rates = np.array([0.7, 0.35, 0.1])
    table, has_left = make_copies(60, rates)
    classifier = MixtureClassifier(
        n_components=1, method="generative", calibration=None, categorical=None, column_transform=None
    )
    model = classifier.fit(table, has_left).model_
    fit = fit_segments(model, model.encode(table), has_left, np.ones(len(has_left)), seed)
    entropy = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).mean()
    of_row = np.repeat(rates, 240)
    error = np.log(np.where(has_left, of_row, 1 - of_row)).std() / np.sqrt(len(has_left))
    three = next(candidate for candidate in fit.candidates if candidate.n_segments == 3)
    assert three.log_loss == pytest.approx(entropy, abs=0.01)
    assert three.standard_error == pytest.approx(error, rel=0.05)
    assert fit.model.n_classes == 3
