"""What a fit is worth once its parameters are paid for; lower is better, as in scikit-learn."""

import math
from collections.abc import Callable

Criterion = Callable[[float, int, float, float], float]
"""From log-likelihood, free parameters, n (the sum of weights) and sum of w log(largest responsibility)."""


def bic(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """-2 log-likelihood + parameters log n (Schwarz, Annals of Statistics 6, 1978); minus mclust's."""
    return -2.0 * log_likelihood + n_parameters * math.log(total_weight)


def aic(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """-2 log-likelihood + 2 parameters (Akaike, IEEE Transactions on Automatic Control 19, 1974)."""
    return -2.0 * log_likelihood + 2.0 * n_parameters


def icl(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """BIC plus the price of unclear assignment, -2 sum log max_k r (mclust's form, minus its sign).

    Biernacki, Celeux & Govaert, IEEE PAMI 22 (2000), with the most probable component as label.
    """
    return bic(log_likelihood, n_parameters, total_weight) - 2.0 * total_log_max_responsibility


def aicc(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """AIC corrected for few rows (Hurvich & Tsai, Biometrika 76, 1989); infinite where parameters outnumber them."""
    left = total_weight - n_parameters - 1.0
    plain = aic(log_likelihood, n_parameters, total_weight)
    return plain + 2.0 * n_parameters * (n_parameters + 1.0) / left if left > 0.0 else math.inf


def sabic(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """BIC with n replaced by (n + 2) / 24 (Sclove, Psychometrika 52, 1987): less harsh on parameters."""
    return -2.0 * log_likelihood + n_parameters * math.log((total_weight + 2.0) / 24.0)


CRITERIA: dict[str, Criterion] = {"bic": bic, "icl": icl, "aic": aic, "aicc": aicc, "sabic": sabic}


def describe_evidence(bic_difference: float) -> str:
    """What a difference in BIC says, in the words of Kass & Raftery (J. Am. Stat. Assoc. 90, 1995).

    The difference stands for twice the logarithm of the Bayes factor.
    """
    if bic_difference < 2.0:
        return "not worth more than a bare mention"
    if bic_difference < 6.0:
        return "positive"
    return "strong" if bic_difference <= 10.0 else "very strong"
