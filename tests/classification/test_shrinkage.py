"""The prior of the covariances and the penalty of the refinement are chosen by rows that the fits did not see."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from gaussmix.classification import MixtureClassifier
from gaussmix.classification.calibration import fit_calibration
from gaussmix.classification.families.base import AnyFamily
from gaussmix.classification.families.class_mixtures import ClassMixtures
from gaussmix.classification.families.cross_validation import CrossValidation, divide_copies
from gaussmix.classification.families.edda import Edda
from gaussmix.classification.families.members import MemberOptions, MixtureSpec
from gaussmix.classification.families.shared_mixture import SharedMixture
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.refinement import RefinementOptions
from gaussmix.classification.shrinkage import PENALTIES, Shrinkage, choose_shrinkage, propose_penalty
from gaussmix.types import ND, IntN
from tests.classification.families.labelled_rows import make_training_rows


def _draw_linear(seed: int, n: int, n_columns: int) -> tuple[ND, IntN]:
    """Return rows whose log-odds are linear in the first three columns."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, n_columns))
    return rows, np.asarray(rng.random(n) < expit(rows[:, :3] @ [1.2, -1.0, 0.8]), dtype=np.int64)


def _validate(rows: TrainingRows) -> Callable[[AnyFamily], CrossValidation]:
    """Return a function from a family to its folds of the rows."""
    folds = divide_copies(rows.classes, np.ones(rows.n_rows, dtype=np.int64), 3, 0).folds
    return lambda family: CrossValidation(rows, folds, family.make_fits)


def _validate_linear(seed: int, n: int, n_columns: int) -> Callable[[AnyFamily], CrossValidation]:
    """Return a function from a family to its folds of rows with linear log-odds."""
    return _validate(make_training_rows(*_draw_linear(seed, n, n_columns)))


def _calibrated_loss(validation: CrossValidation, spec: MixtureSpec, members: MemberOptions) -> float:
    """Return the log-loss of held-out rows by scikit-learn."""
    log_probabilities, rows = validation.predict(spec, members), validation.held_out_rows
    calibrated = fit_calibration("floor", log_probabilities, rows.classes, rows.row_weights).apply(log_probabilities)
    return float(log_loss(rows.classes, np.exp(calibrated), sample_weight=rows.row_weights))


@pytest.mark.parametrize("seed", range(3))
def test_no_other_penalty_lowers_the_loss_of_unseen_rows(seed: int) -> None:
    validate, spec = _validate_linear(seed, 120, 10), MixtureSpec((1, 1), ("VVV", "VVV"))
    first = Shrinkage(ClassMixtures(), MemberOptions((0,), RefinementOptions(penalty=50.0)))
    chosen = choose_shrinkage(first, spec, validate, has_given_penalty=False)
    validation = validate(chosen.family)
    losses = [_calibrated_loss(validation, spec, chosen.with_penalty(penalty).members) for penalty in PENALTIES]
    loss = _calibrated_loss(validation, spec, chosen.members)
    assert loss <= min(losses) + 1.0 / validation.held_out_rows.row_weights.sum()  # of one nat in total
    assert loss <= _calibrated_loss(validate(first.family), spec, first.members)


@pytest.mark.parametrize("seed", range(3))
def test_the_prior_is_strong_where_classes_have_equal_covariances_and_weak_where_they_differ(seed: int) -> None:
    spec, first = MixtureSpec((1, 1), ("VVV", "VVV")), Shrinkage(ClassMixtures(), MemberOptions((0,), None))
    alike = choose_shrinkage(first, spec, _validate_linear(seed, 200, 20), True)
    classes = np.arange(600) % 2
    rows = np.random.default_rng(seed).normal(size=(600, 4)) * (1.0 + classes[:, None])
    different = choose_shrinkage(first, spec, _validate(make_training_rows(rows, classes)), True)
    assert alike.family.list_priors().index(alike.family) > different.family.list_priors().index(different.family)


def test_a_given_penalty_is_kept_and_a_family_without_priors_stays_itself() -> None:
    first = Shrinkage(Edda(), MemberOptions((0,), RefinementOptions(penalty=3.0)))
    spec = MixtureSpec((1, 1), ("VVV",))
    assert choose_shrinkage(first, spec, _validate_linear(0, 60, 3), has_given_penalty=True) == first
    assert first.family.list_priors() == (first.family,)
    assert Shrinkage(Edda(), MemberOptions((0,), None)).with_penalty(9.0).members.refinement is None
    assert SharedMixture() in SharedMixture().list_priors()
    assert propose_penalty(100.0) > propose_penalty(10_000.0)


@pytest.mark.parametrize("seed", range(3))
def test_wide_tables_of_few_rows_are_predicted_as_well_as_by_the_true_model_class(seed: int) -> None:
    rows, classes = _draw_linear(seed, 5400, 25)
    train, test = slice(0, 400), slice(400, None)
    model = MixtureClassifier(random_state=0).fit(rows[train], classes[train])
    peer = LogisticRegression().fit(rows[train], classes[train])
    loss = log_loss(classes[test], model.predict_proba(rows[test]))
    assert loss < log_loss(classes[test], peer.predict_proba(rows[test])) + 0.02
    assert model.penalty_ in PENALTIES
    assert any(note.startswith("Penalty of the refinement") for note in model.notes_)


def test_the_penalty_of_a_fit_is_an_attribute() -> None:
    rows, classes = _draw_linear(0, 60, 3)
    settings = {"n_components": 1, "calibration": None, "random_state": 0}
    assert MixtureClassifier(penalty=7.0, **settings).fit(rows, classes).penalty_ == 7.0
    assert MixtureClassifier(method="generative", **settings).fit(rows, classes).penalty_ is None
    assert MixtureClassifier(**settings).fit(rows, classes).penalty_ in PENALTIES
