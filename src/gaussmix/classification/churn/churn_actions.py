"""Plan contacts with the probabilities of a `ChurnModel`, and the errors that its held-out customers show."""

import numpy as np

from gaussmix.classification.churn.churn_evaluation import ObservedCustomers
from gaussmix.classification.churn.churn_input import find_new_prior, require_held_out
from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.classification.evaluation.actions import ActionPlan, plan_actions
from gaussmix.classification.evaluation.prior_shift import adjust_probabilities
from gaussmix.types import NK, ArrayLike, BoolN, N


def plan_contacts(
    state: ChurnState, probabilities: NK, new_rate: float | str | None, terms: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> ActionPlan:
    """Return whom to contact of customers with given class probabilities (n, Y).

    Parameters
    ----------
    state : ChurnState
    probabilities : ndarray of shape (n, Y)
        For the churn rate of the training customers.
    new_rate : float, 'estimate' or None
        Churn rate of these customers. The interval takes it as known.
    terms : tuple of array-like
        Cost of a contact, value of a customer who stays, and success rate.
    """
    held_out, prior = state.held_out, state.training_prior
    new_prior = prior if new_rate is None else find_new_prior(state, probabilities, new_rate)
    if new_rate is not None:
        probabilities = adjust_probabilities(probabilities, prior, new_prior)
    rates = float(prior[state.positive]), float(new_prior[state.positive])
    calibrating = None if held_out is None else _shift_rate(held_out, *rates)
    return plan_actions(state.churn_probabilities(probabilities), *terms, held_out=calibrating)


def plan_held_out_contacts(state: ChurnState, terms: tuple[ArrayLike, ArrayLike, ArrayLike]) -> ActionPlan:
    """Return whom to contact of the training customers that were held out, with their observed outcomes."""
    held_out = require_held_out(state)
    outcomes, p = held_out.has_left, held_out.probabilities
    return plan_actions(p, *terms, y=outcomes, held_out=(outcomes, p, held_out.weights))


def _shift_rate(customers: ObservedCustomers, rate: float, new_rate: float) -> tuple[BoolN, N, N]:
    """Return outcomes, probabilities and weights (m,) of customers as if they had another churn rate."""
    factors = np.where(customers.has_left, new_rate / rate, (1.0 - new_rate) / (1.0 - rate))
    p = adjust_probabilities(customers.probabilities, rate, new_rate)
    return customers.has_left, p, customers.weights * factors
