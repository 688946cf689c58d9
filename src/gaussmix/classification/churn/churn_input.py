"""Check what a `ChurnModel` is given: classifier, columns, rates, and customers with outcomes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from gaussmix.classification.churn.churn_evaluation import GIVEN, SEEN, ObservedCustomers
from gaussmix.classification.churn.churn_state import (
    ChurnState,
    HeldOutRows,
    LabelledCustomers,
    compute_fingerprint,
    fit_churn_state,
)
from gaussmix.classification.churn.positive_class import find_positive_class
from gaussmix.classification.churn.rate_correction import change_rate
from gaussmix.classification.classifier import MixtureClassifier
from gaussmix.classification.evaluation.prior_shift import adjust_probabilities, estimate_prior
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.classification.target import read_labels
from gaussmix.core.input_arrays import parse_weights
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ChurnDataError, ChurnParameterError, ParameterError, TargetError
from gaussmix.estimators._validation import make_estimator_generator
from gaussmix.types import NK, AnyArray, ArrayLike, K


def fit_churn_model(
    parameters: Any, X: Any, y: Any, sample_weight: ArrayLike | None
) -> tuple[MixtureClassifier, ChurnState]:
    """Return the fitted classifier and the state of a model with the parameters of a `ChurnModel`."""
    table = read_input_table(X)
    labels = read_labels(y, table.n_rows)
    classes = np.unique(labels)
    if len(classes) < 2:
        raise TargetError.single_class(classes.tolist()[0])
    label = find_positive_class(classes, parameters.positive)
    require_columns(parameters.fixed_columns, table.names)
    given = parse_weights(sample_weight, table.n_rows)
    weights = np.ones(table.n_rows) if given is None else given
    seeds = make_estimator_generator(parameters.random_state).integers(2**31, size=2).tolist()
    seed = None if parameters.random_state is None else seeds[0]
    classifier = make_classifier(parameters.classifier, seed).fit(X, y, sample_weight)
    positive = int(np.flatnonzero(classifier.classes_ == label)[0])
    held_out = None
    if classifier.held_out_rows_ is not None and classifier.held_out_proba_ is not None:
        held_out = HeldOutRows(classifier.held_out_rows_, classifier.held_out_proba_[:, positive])
    customers = LabelledCustomers(X, np.asarray(labels == label), weights)
    state = fit_churn_state(classifier.model_, positive, classifier.class_prior_, customers, held_out, seeds[1])
    return classifier, state


def set_fitted_attributes(
    model: Any, classifier: MixtureClassifier, state: ChurnState, target_name: str | None
) -> None:
    """Set what a fitted `ChurnModel` has."""
    model.target_name_, model.notes_ = target_name, (*classifier.notes_, *state.segments.notes)
    model.classifier_, model.state_ = classifier, state
    model.classes_, model.n_features_in_ = classifier.classes_, classifier.n_features_in_
    model.positive_ = classifier.classes_[state.positive]
    if hasattr(classifier, "feature_names_in_"):
        model.feature_names_in_ = classifier.feature_names_in_
    elif hasattr(model, "feature_names_in_"):
        del model.feature_names_in_


def make_classifier(classifier: Any, seed: int | None) -> MixtureClassifier:
    """Return a copy of a classifier, or one with default parameters; a seed replaces its own."""
    if classifier is not None and not isinstance(classifier, MixtureClassifier):
        raise ChurnParameterError.no_classifier(classifier)
    copy = MixtureClassifier() if classifier is None else clone(classifier)
    return copy if seed is None else copy.set_params(random_state=seed)


def require_columns(fixed_columns: Any, columns: Sequence[str]) -> frozenset[str]:
    """Return the columns that cannot change; raise ChurnParameterError unless all are columns of the table."""
    is_sequence = isinstance(fixed_columns, Sequence | np.ndarray | set | frozenset)
    if isinstance(fixed_columns, str) or not is_sequence:
        raise ChurnParameterError.not_names(fixed_columns)
    names = [str(name) for name in fixed_columns]
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise ChurnParameterError.unknown_fixed_columns(unknown, columns)
    return frozenset(names)


def require_probability(name: str, value: object) -> float:
    """Return a probability; raise ParameterError unless it is above 0 and below 1."""
    if not is_number_in(value, 0.0, 1.0):
        raise ParameterError.invalid_value(name, value, "a number above 0 and below 1")
    return float(value)  # type: ignore[arg-type]


def adjust_rate(state: ChurnState, probabilities: NK, new_rate: object) -> NK:
    """Return class probabilities (n, Y) for a new churn rate, which may be 'estimate'; None leaves them as they are."""
    if new_rate is None:
        return probabilities
    return adjust_probabilities(probabilities, state.training_prior, find_new_prior(state, probabilities, new_rate))


def find_new_prior(state: ChurnState, probabilities: NK, new_rate: object) -> K:
    """Return the class frequencies (Y,) for a new churn rate; 'estimate' finds them from probabilities (n, Y).

    For a given rate, other classes keep their frequencies relative to each other.
    """
    prior = state.training_prior
    if isinstance(new_rate, str):
        if new_rate != "estimate":
            raise ParameterError.invalid_value("new_rate", new_rate, "a number above 0 and below 1, or 'estimate'")
        return estimate_prior(probabilities, prior).prior
    return change_rate(prior, state.positive, require_probability("new_rate", new_rate))


def require_held_out(state: ChurnState) -> ObservedCustomers:
    """Return the training customers who were held out; raise ChurnDataError if there are none."""
    if state.held_out is None:
        raise ChurnDataError.no_held_out_rows()
    return state.held_out


def observe_customers(
    state: ChurnState, classes: AnyArray, X: Any, y: Any, sample_weight: ArrayLike | None
) -> ObservedCustomers:
    """Return customers with their outcomes and probabilities.

    If X is the training table, they are those who were held out, with probabilities by fits that have not seen them.
    """
    cells = state.model.schema.read_cells(X)
    encoded = state.model.schema.encode_cells(cells)
    has_left = _parse_outcomes(y, cells.n_rows, classes) == state.positive
    given = parse_weights(sample_weight, cells.n_rows)
    weights = np.ones(cells.n_rows) if given is None else given
    is_training_table = compute_fingerprint(encoded) == state.fingerprint
    if is_training_table and state.held_out is not None:
        held_out = state.held_out
        rows = held_out.rows
        return ObservedCustomers(
            rows, cells.n_rows, has_left[rows], held_out.probabilities, weights[rows], held_out.source
        )
    probabilities = state.churn_probabilities(np.exp(state.model.log_probabilities(encoded)))
    source = SEEN if is_training_table else GIVEN
    return ObservedCustomers(np.arange(cells.n_rows), cells.n_rows, has_left, probabilities, weights, source)


def _parse_outcomes(y: Any, n_rows: int, classes: AnyArray) -> AnyArray:
    """Return the position (n,) of the class of each outcome."""
    labels = read_labels(y, n_rows)
    position = {label: k for k, label in enumerate(classes.tolist())}
    unknown = sorted({label for label in labels.tolist() if label not in position}, key=str)
    if unknown:
        raise ChurnDataError.unknown_outcomes(unknown, classes.tolist())
    return np.array([position[label] for label in labels.tolist()], dtype=np.int64)
