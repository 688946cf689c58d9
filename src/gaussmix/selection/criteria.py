"""Information criteria of a fitted mixture; lower is better, as in scikit-learn.

Every criterion takes the log-likelihood, the number of free parameters, the total weight of the rows (n for
unweighted rows), and the weighted sum of log(largest responsibility) over the rows.
"""

import math
from collections.abc import Callable

Criterion = Callable[[float, int, float, float], float]


def bic(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """Return -2 log-likelihood + n_parameters log n (Schwarz, Annals of Statistics 6, 1978).

    mclust reports the negative of this value.
    """
    return -2.0 * log_likelihood + n_parameters * math.log(total_weight)


def aic(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """Return -2 log-likelihood + 2 n_parameters (Akaike, IEEE Transactions on Automatic Control 19, 1974)."""
    return -2.0 * log_likelihood + 2.0 * n_parameters


def icl(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """Return BIC - 2 sum log max_k responsibility (Biernacki, Celeux & Govaert, IEEE PAMI 22, 2000).

    The most probable component serves as label. This is mclust's form with the other sign.
    """
    return bic(log_likelihood, n_parameters, total_weight) - 2.0 * total_log_max_responsibility


def aicc(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """Return AIC with the correction for few rows (Hurvich & Tsai, Biometrika 76, 1989).

    The value is infinite unless n exceeds n_parameters + 1.
    """
    degrees_left = total_weight - n_parameters - 1.0
    if degrees_left <= 0.0:
        return math.inf
    correction = 2.0 * n_parameters * (n_parameters + 1.0) / degrees_left
    return aic(log_likelihood, n_parameters, total_weight) + correction


def sabic(
    log_likelihood: float, n_parameters: int, total_weight: float, total_log_max_responsibility: float = 0.0
) -> float:
    """Return the sample-size-adjusted BIC: n is replaced by (n + 2) / 24 (Sclove, Psychometrika 52, 1987)."""
    return -2.0 * log_likelihood + n_parameters * math.log((total_weight + 2.0) / 24.0)


CRITERIA: dict[str, Criterion] = {"bic": bic, "icl": icl, "aic": aic, "aicc": aicc, "sabic": sabic}

# The criteria that depend on the responsibilities, which take a pass over the rows.
CRITERIA_OF_RESPONSIBILITIES = frozenset({"icl"})


def describe_bic_evidence(bic_difference: float) -> str:
    """Return the words of Kass & Raftery for a difference in BIC, such as 'positive' or 'very strong'.

    J. Am. Stat. Assoc. 90 (1995). The difference approximates twice the logarithm of the Bayes factor.
    """
    if bic_difference < 2.0:
        return "not worth more than a bare mention"
    if bic_difference < 6.0:
        return "positive"
    return "strong" if bic_difference <= 10.0 else "very strong"
