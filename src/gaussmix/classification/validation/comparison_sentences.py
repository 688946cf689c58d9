"""Sentences on the differences between a mixture classifier and another model on the same rows."""

import math
from collections.abc import Sequence

from gaussmix.classification.evaluation.measures import ClassificationMeasures, MeasureDifference

N_STANDARD_ERRORS = 2.0  # a smaller difference counts as chance
_MIN_DECIMALS, _MAX_DECIMALS = 4, 8


def describe_difference(peer: str, differences: Sequence[MeasureDifference]) -> str:
    """Return a sentence: which model ranks better, and which has the more accurate probabilities?

    Parameters
    ----------
    peer : str
        Name of the other model.
    differences : sequence of MeasureDifference
        Measures of the mixture classifier minus those of the peer, among them 'AUC' and 'Brier score'.
    """
    by_name = {one.measure: one for one in differences}
    auc, brier = by_name["AUC"], by_name["Brier score"]
    ranking = ("worse than", "as well as", "better than")[1 + sign_beyond_chance(auc)]
    accuracy = ("less", "as", "more")[1 - sign_beyond_chance(brier)]
    return (
        f"The mixture classifier ranks {ranking} {peer} (AUC {format_difference(auc)}), and its probabilities are "
        f"{accuracy} accurate (Brier score {format_difference(brier)})."
    )


def describe_calibration(measures: ClassificationMeasures) -> str:
    """Return a sentence on the calibration error of the mixture classifier beside that of right probabilities."""
    return (
        f"The calibration error of the mixture classifier is {measures.calibration_error:.4f}; that of exactly right "
        f"probabilities would be {measures.calibration_error_by_chance:.4f} on average."
    )


def sign_beyond_chance(difference: MeasureDifference) -> int:
    """Return the sign of a difference, or 0 if it is at most two standard errors large."""
    return _sign_beyond_chance(difference.difference, difference.standard_error)


def _sign_beyond_chance(difference: float, error: float) -> int:
    """Return the sign of a difference, or 0 if it is at most two of the given standard errors large."""
    return 0 if abs(difference) <= N_STANDARD_ERRORS * error else 1 if difference > 0 else -1


def format_difference(found: MeasureDifference) -> str:
    """Return a difference with its sign and standard error: '−0.0183 ± 0.0041'.

    The error has two significant digits, and more if rounded numbers would contradict `sign_beyond_chance`.
    """
    error = found.standard_error
    n_decimals = _MIN_DECIMALS
    if 0.0 < error < 10.0 ** (1 - _MIN_DECIMALS):
        n_decimals = min(1 - math.floor(math.log10(error)), _MAX_DECIMALS)
    sign = sign_beyond_chance(found)
    while n_decimals < _MAX_DECIMALS and sign != _sign_beyond_chance(
        round(found.difference, n_decimals), round(error, n_decimals)
    ):
        n_decimals += 1
    difference = round(found.difference, n_decimals) + 0.0  # -0.0 has no sign
    return f"{difference:+.{n_decimals}f} ± {error:.{n_decimals}f}".replace("-", "\N{MINUS SIGN}")
