"""Find the step of a column whose values were rounded: the largest number of which all differences are multiples.

Values that were rounded to two decimals have the step 0.01, whole numbers 1, and both keep a step in other units. The
step is the greatest common divisor of the gaps between neighbouring values, by Euclid's algorithm on floats.
"""

import numpy as np

from gaussmix.types import ND, D, N

_N_SCREENING_VALUES = 256
_N_BOUNDING_VALUES = 128
_MIN_GAP_IN_ROUNDING_ERRORS = 500.0  # of a bound: no lattice has so many values that differ by rounding errors only
_MAX_REFINEMENT = 1.03  # of a divisor by two means of its multiples, each within 1 % of it
_MAX_GAPS = 1_000  # the smallest gaps determine the divisor; large multiples of it only add rounding errors
_MAX_DIVISIONS = 64
_ROUNDING_ERRORS = 16.0 * float(np.finfo(np.float64).eps)  # of a difference, relative to the largest value
_REFINEMENT_MULTIPLES = (10.0, 1_000.0)  # of a divisor, whose rounding errors they average out
_MAX_REFINEMENT_REMAINDER = 0.01  # in divisors
_MAX_REMAINDER = 1e-3  # of a division, relative to the divisor


def find_rounding_step(values: N) -> float:
    """Return the step of values (n,) on a regular lattice, in their units; 0 if they are on none."""
    stride = max(1, len(values) // _N_SCREENING_VALUES)
    if stride > 1 and _common_divisor_of_gaps(values[::stride]) == 0.0:
        return 0.0  # a lattice of all values contains every part of them
    return _common_divisor_of_gaps(values)


def bound_rounding_steps(rows: ND, largest: D) -> D:
    """Return upper bounds (D,) of the steps of all columns of rows (n, D), from the gaps between some of the values.

    Every gap is a multiple of the step. ``largest`` (D,) are the largest absolute values. The bound of a column
    without a gap is infinity.
    """
    columns = np.array(rows[:: max(1, len(rows) // _N_BOUNDING_VALUES)].T, order="C")
    columns.sort(axis=1)
    gaps = np.diff(columns, axis=1)
    is_certain = gaps > (_MIN_GAP_IN_ROUNDING_ERRORS * _ROUNDING_ERRORS * largest)[:, None]
    return np.asarray(_MAX_REFINEMENT * np.min(gaps, axis=1, initial=np.inf, where=is_certain))


def _common_divisor_of_gaps(values: N) -> float:
    """Return the greatest common divisor of the gaps between the sorted distinct values; 0 if rounding hides it."""
    distinct = np.unique(values)
    noise = _ROUNDING_ERRORS * float(np.abs(distinct).max())
    gaps = np.diff(distinct)
    gaps = np.sort(gaps[gaps > noise])[:_MAX_GAPS]
    if not len(gaps):
        return 0.0
    divisor = float(gaps[0])
    for _ in range(_MAX_DIVISIONS):
        divisor = _refine_divisor(divisor, gaps)
        ratios = gaps / divisor
        if noise * (1.0 + ratios[-1]) > _MAX_REMAINDER * divisor:
            return 0.0
        remainders = np.abs(ratios - np.round(ratios)) * divisor
        remainders = remainders[remainders > _MAX_REMAINDER * divisor]
        if not len(remainders):
            return divisor
        divisor = float(remainders.min())
    return 0.0


def _refine_divisor(divisor: float, gaps: N) -> float:
    """Return the divisor with smaller rounding errors: the mean of its multiples, small ones first."""
    for max_multiple in _REFINEMENT_MULTIPLES:
        ratios = gaps / divisor
        multiples = np.round(ratios)
        is_used = (multiples <= max_multiple) & (np.abs(ratios - multiples) < _MAX_REFINEMENT_REMAINDER)
        if is_used.any():
            divisor = float(gaps[is_used].sum() / multiples[is_used].sum())
    return divisor
