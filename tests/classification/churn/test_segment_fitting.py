"""Segments: planted groups are found, labels order them and choose their number, and nothing else."""

import numpy as np
import pytest

from gaussmix.classification import ChurnModel, MixtureClassifier
from gaussmix.classification.churn import segment_fitting
from gaussmix.classification.churn.segment_fitting import fit_segments
from tests.classification.churn.customers import make_customers, select_rows

SEED, N_ROWS = 1, 300


@pytest.fixture
def few(monkeypatch):
    """Up to four segments are compared, which takes less time."""
    monkeypatch.setattr(segment_fitting, "MAX_SEGMENTS", 4)


@pytest.fixture
def three(monkeypatch):
    """Three segments without a comparison of numbers."""
    monkeypatch.setattr(segment_fitting, "choose_number", lambda candidates: 3)


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
    assert [candidate.n_segments for candidate in fit.candidates] == [1, 2, 3, 4, 5, 6, 7, 8]
    losses = {candidate.n_segments: candidate.log_loss for candidate in fit.candidates}
    assert losses[3] < losses[2] - 0.02
    assert min(fit.candidates, key=lambda candidate: candidate.icl).n_segments == 3


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
def test_the_seed_changes_the_starts(fitted):
    model, encoded, has_left, _ = fitted
    first, second = (fit_segments(model, encoded, has_left, np.ones(N_ROWS), seed) for seed in (1, 2))
    assert first.candidates != second.candidates


@pytest.mark.parametrize(("n_rows", "n_candidates"), [(30, 1), (45, 2), (70, 3)])
def test_few_customers_make_few_segments(n_rows, n_candidates):
    table, has_left, _ = make_customers(n_rows, seed=4)
    has_left[:5] = [True, False, True, False, True]
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None).fit(table, has_left)
    encoded = classifier.model_.encode(table)
    fit = fit_segments(classifier.model_, encoded, has_left, np.ones(n_rows), SEED)
    assert len(fit.candidates) == n_candidates
    assert fit.model.n_classes <= n_rows // 20
    assert np.isfinite(memberships(fit.model, encoded)).all()


def test_customers_without_a_useful_column_are_one_segment():
    rng = np.random.default_rng(0)
    table = {"plan": rng.choice(np.array(["a", "b", "c", "d"], dtype=object), 300)}
    has_left = rng.random(300) < 0.3
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None).fit(table, has_left)
    assert len(classifier.model_.categories) == 0
    fit = fit_segments(classifier.model_, classifier.model_.encode(table), has_left, np.ones(300), SEED)
    assert fit.model.n_classes == 1


def test_groups_are_found_where_hardly_anybody_leaves(fitted):
    model, encoded, _, _ = fitted
    has_left = np.zeros(N_ROWS, dtype=bool)
    has_left[[3, 77]] = True
    fit = fit_segments(model, encoded, has_left, np.ones(N_ROWS), SEED)
    assert fit.model.n_classes == 3
    assert np.isfinite([candidate.log_loss for candidate in fit.candidates]).all()


def make_planted_customers(seed):
    """Return customers of three groups that differ in age and bill, with a useless column; who left, and the groups."""
    rng = np.random.default_rng(seed)
    group = rng.choice(3, 3000, p=[0.5, 0.3, 0.2])
    table = {
        "age": rng.normal(np.array([30.0, 50.0, 70.0])[group], 5.0),
        "bill": rng.lognormal(np.log(np.array([20.0, 60.0, 35.0]))[group], 0.25),
        "noise": rng.normal(size=3000),
    }
    return table, rng.random(3000) < np.array([0.4, 0.1, 0.2])[group], group


def make_distant_customers(seed, n_groups=5):
    """Return customers of groups that are 6 standard deviations apart; who left, and the groups."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, n_groups, 4000)
    table = {"u": rng.normal(30.0 * group, 5.0), "v": rng.normal(30.0 * ((2 * group) % n_groups), 5.0)}
    return table, rng.random(4000) < np.linspace(0.05, 0.6, n_groups)[group], group


@pytest.mark.parametrize(
    "customers",
    [*(make_planted_customers(seed) for seed in (1, 2)), make_distant_customers(0), make_distant_customers(1, 8)],
    ids=["planted 1", "planted 2", "five", "eight"],
)
def test_groups_that_are_apart_are_segments(customers):
    table, has_left, group = customers
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None).fit(table, has_left)
    encoded = classifier.model_.encode(table)
    fit = fit_segments(classifier.model_, encoded, has_left, np.ones(len(group)), SEED)
    found = memberships(fit.model, encoded).argmax(axis=1)
    n_groups = group.max() + 1
    counts = np.zeros((n_groups, fit.model.n_classes), dtype=int)
    np.add.at(counts, (group, found), 1)
    assert fit.model.n_classes == n_groups
    assert counts.max(axis=1).sum() > 0.97 * len(group)


@pytest.mark.parametrize("seed", [0, 1])
def test_customers_without_groups_are_one_segment(seed):
    rng = np.random.default_rng(seed)
    table = {"income": rng.lognormal(8.0, 0.5, 2000), "age": rng.normal(50.0, 9.0, 2000)}
    has_left = rng.random(2000) < 1.0 / (1.0 + np.exp(1.0 - (table["age"] - 50.0) / 9.0))
    model = ChurnModel(MixtureClassifier(n_components=1, method="generative", calibration=None), random_state=0)
    segments = model.fit(table, has_left).segments()
    assert len(segments) == 1
    assert "form no groups" in str(segments)


@pytest.mark.usefixtures("few")
def test_many_customers_are_fitted_from_a_sample(fitted, monkeypatch):
    """The sample finds the groups; the mixture is that of all customers."""
    model, encoded, has_left, group = fitted
    monkeypatch.setattr(segment_fitting, "_MAX_SAMPLE_ROWS", 150)
    fit = fit_segments(model, encoded, has_left, np.ones(N_ROWS), SEED)
    found = memberships(fit.model, encoded)
    assert (found.argmax(axis=1) == group).mean() > 0.98
    np.testing.assert_allclose(np.exp(fit.model.members[0].log_weights), found.mean(axis=0), atol=2e-3)


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
def test_equal_customers_do_not_predict_themselves():
    """All that a customer of a known kind can lose is the entropy of the rate, with little more."""
    rates = np.array([0.7, 0.35, 0.1])
    table, has_left = make_copies(60, rates)
    classifier = MixtureClassifier(
        n_components=1, method="generative", calibration=None, categorical=None, column_transform=None
    )
    model = classifier.fit(table, has_left).model_
    fit = fit_segments(model, model.encode(table), has_left, np.ones(len(has_left)), SEED)
    entropy = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).mean()
    assert fit.candidates[2].log_loss == pytest.approx(entropy, abs=0.01)
    assert fit.candidates[2].log_loss > entropy
    assert fit.model.n_classes == 3
