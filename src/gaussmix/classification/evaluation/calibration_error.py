"""How far probabilities may be wrong as a whole: the errors of a calibration on a limited number of rows."""

import numpy as np
from scipy.special import logit

from gaussmix.classification.evaluation.outcomes import BinaryOutcomes
from gaussmix.types import DD, Array, N

_MIN_PROBABILITY = 1e-9
_MIN_VARIANCE = 1e-18  # of log-odds; less is rounding


def log_odds_features(probabilities: N) -> Array:
    """Return 1 and the log-odds of each probability (n,), (n, 2): what an error of level and slope depends on."""
    bounded = np.clip(probabilities, _MIN_PROBABILITY, 1.0 - _MIN_PROBABILITY)
    return np.column_stack([np.ones(len(bounded)), logit(bounded)])


def estimate_calibration_covariance(held_out: BinaryOutcomes) -> DD:
    """Return the covariance (2, 2) of the errors a and b of log-odds z + a + b z.

    It is that of the maximum likelihood estimate of level and slope from the rows (Cox, "Two further applications of a
    model for binary regression", Biometrika 45, 1958), by the expected information. Weights do not add information:
    rows of unequal weight count as fewer. If all log-odds are equal, the slope has no error.

    Parameters
    ----------
    held_out : BinaryOutcomes
        Rows that calibrated the probabilities, or as many.
    """
    features = log_odds_features(held_out.probabilities)
    information = held_out.weights * held_out.probabilities * (1.0 - held_out.probabilities)
    total = float(information.sum())
    center = float(information @ features[:, 1]) / total if total > 0.0 else 0.0
    # About this center, errors of level and slope do not depend on each other.
    centered = features - [0.0, center]
    informations = information @ centered**2
    influences = np.divide(
        centered, informations, out=np.zeros_like(centered), where=informations > _MIN_VARIANCE * total
    )
    covariance = (influences * (held_out.weights * information)[:, None]).T @ influences
    to_origin = np.array([[1.0, -center], [0.0, 1.0]])
    return np.asarray(to_origin @ covariance @ to_origin.T)
