"""``Resolution``: how small the p-values of a detector can be, and what it cannot find for that reason."""

import math
from typing import NamedTuple

from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.thresholds import Threshold
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import DataWarning

_ROUNDING = 1e-9


class Resolution(NamedTuple):
    """What m calibration rows allow.

    No p-value is below ``smallest_p_value``, so that fewer than ``fewest_anomalies`` cannot be found. For a single one
    it takes ``n_needed`` calibration rows.
    """

    n_calibration: int
    smallest_p_value: float
    fewest_anomalies: int
    n_needed: int


def measure_resolution(calibration: CalibrationScores, threshold: Threshold, n_rows: int) -> Resolution | None:
    """Return the resolution of a detector that judges rows, or None where it hides nothing.

    Contaminated calibration extrapolates a tail, and a contamination ranks rows: neither has a smallest p-value. A
    false discovery rate of r among n rows selects k of them by p-values of at most r k / n, a false positive rate of r
    by p-values of at most r.
    """
    if not calibration.is_clean or threshold.kind == "contamination":
        return None
    smallest = 1.0 / (calibration.total_weight + 1.0)
    limit_of_one = threshold.rate / n_rows if threshold.kind == "fdr" else threshold.rate
    if smallest <= limit_of_one * (1.0 + _ROUNDING):
        return None
    fewest = math.ceil(smallest / limit_of_one - _ROUNDING) if threshold.kind == "fdr" else n_rows + 1
    n_needed = math.ceil(1.0 / limit_of_one - _ROUNDING) - 1
    return Resolution(round(calibration.total_weight), smallest, fewest, n_needed)


def warn_of_resolution(calibration: CalibrationScores, threshold: Threshold, n_rows: int) -> None:
    """Warn that a detector cannot find one anomaly among rows at a rate, if its p-values cannot be that small."""
    found = measure_resolution(calibration, threshold, n_rows)
    if found is not None:
        rows = (n_rows, found.n_calibration, found.fewest_anomalies, found.n_needed)
        warn_user(DataWarning.coarse_p_values(*threshold, found.smallest_p_value, *rows))
