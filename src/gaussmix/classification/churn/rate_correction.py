"""A classifier whose probabilities are corrected for another churn rate, so that they can be explained, too."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax

from gaussmix.classification.calibration import AbstractCalibration
from gaussmix.classification.churn.churn_state import ChurnState
from gaussmix.types import NK, K

_MIN_RATIO = 1e-300  # of frequencies, so that log-odds stay finite


@dataclass(frozen=True, eq=False)
class RateCorrection(AbstractCalibration):
    """A calibration, and after it the correction for other frequencies of the classes.

    Attributes
    ----------
    inner : AbstractCalibration or None
    log_ratios : ndarray of shape (Y,)
        Logarithm of the new frequency of each class divided by that in training.

    References
    ----------
    Saerens, Latinne & Decaestecker, Neural Computation 14 (2002), equation 2.4.
    """

    inner: AbstractCalibration | None
    log_ratios: K

    def apply(self, log_probabilities: NK) -> NK:
        """Return corrected log probabilities (n, Y)."""
        calibrated = log_probabilities if self.inner is None else self.inner.apply(log_probabilities)
        return np.asarray(log_softmax(calibrated + self.log_ratios, axis=1))


def change_rate(prior: K, positive: int, new_rate: float) -> K:
    """Return the frequencies (Y,) of the classes with another churn rate; others keep theirs relative to each other."""
    changed = prior * (1.0 - new_rate) / (1.0 - prior[positive])
    changed[positive] = new_rate
    return np.asarray(changed)


def correct_rate(state: ChurnState, new_rate: float) -> ChurnState:
    """Return the state with a classifier that is corrected for another churn rate."""
    ratios = change_rate(state.training_prior, state.positive, new_rate) / state.training_prior
    correction = RateCorrection(state.model.calibration, np.log(np.maximum(ratios, _MIN_RATIO)))
    return state.with_model(replace(state.model, calibration=correction), state.positive)
