"""Rules that find columns no Gaussian describes: discrete, saturated, skewed and others.

A mixture of well-separated Gaussians is itself skewed and has several modes, so the rules test what Gaussians cannot
have: repeated values, edges, tails of several orders of magnitude, and a shape that a power or the logarithm makes
normal. The rules stand in a table; the first that matches a column is its diagnosis.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.diagnostics.sorted_column import SortedColumn
from gaussmix.types import N

MAX_DISCRETE_VALUES = 12  # a scale from 0 to 10 has 11 values, months have 12
_MIN_EFFECTIVE_VALUES = 7.0  # of a Gaussian that is rounded to steps of half a deviation
_MIN_POINT_MASS_FRACTION = 0.03
_SURE_POINT_MASS_FRACTION = 0.4
_MIN_POINT_MASS_RATIO = 10.0  # to the frequency of the value of a typical other row
_MIN_RATIO_TO_NEIGHBOURS = 3.0  # rounding to steps of one deviation gives a peak of 1.6 times its neighbours
_MIN_EDGE_RATIO = 2.0  # the density of Gaussians falls towards the smallest and the largest value
_N_EDGE_NEIGHBOURS = 5
_MIN_EDGE_ROWS = 10.0
POWER_TEXTS = {0.0: "the logarithm is", 0.25: "fourth roots are", 0.5: "square roots are"}  # powers of Box and Cox
MIN_SKEW_NON_NORMALITY = 0.07
MIN_SKEW_ROWS = 50.0
_MIN_SKEW_RATIO = 5.0
FENCE = 3.0  # half-widths of the central 90 % of the rows
MIN_ROWS_BEYOND_FENCE = 8
_MIN_TAIL_INDEX = 0.4  # 1 / degrees of freedom of Student's t; Gaussian tails have less than 0.3
MIN_TAIL_LOG_SPREAD = 0.9

Evidence = dict[str, float]


@dataclass(frozen=True)
class DiagnosisRule:
    """A row of the table of rules.

    ``find`` takes a column and its total weight, and returns the evidence, or None if the rule does not match.
    ``evidence_template`` is formatted with the evidence. ``subject`` are the columns in a sentence.
    """

    kind: str
    subject: str
    find: Callable[[SortedColumn, float], Evidence | None]
    evidence_template: str
    advice: str
    is_described_by_noise: bool = False

    def format_evidence(self, evidence: Evidence) -> str:
        """Return the evidence as text."""
        return self.evidence_template.format(**evidence, power_text=POWER_TEXTS.get(evidence.get("power", -1.0), ""))


def _find_few_values(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return number and range of the values of a discrete column."""
    if column.n_distinct > MAX_DISCRETE_VALUES:
        return None
    return {"n_distinct": column.n_distinct, "minimum": float(column.values[0]), "maximum": float(column.values[-1])}


def _find_pile_at_edge(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return the smallest or largest value if it occurs more often than values nearby; zeros count as a point mass."""
    if not column.has_unequal_weights:
        return None
    for position, neighbours in ((0, slice(1, 1 + _N_EDGE_NEIGHBOURS)), (-1, slice(-1 - _N_EDGE_NEIGHBOURS, -1))):
        fraction, value = float(column.fractions[position]), float(column.values[position])
        has_enough_rows = fraction >= _MIN_POINT_MASS_FRACTION and fraction * total_weight >= _MIN_EDGE_ROWS
        if value != 0 and has_enough_rows and fraction >= _MIN_EDGE_RATIO * column.fractions[neighbours].max():
            return {"percent": 100.0 * fraction, "value": value}
    return None


def find_point_mass(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return the most frequent value if it occurs far more often than its neighbours and than other values."""
    if not column.has_unequal_weights:
        return None
    position = column.most_frequent
    fraction = float(column.fractions[position])
    neighbours = column.fractions[[max(position - 1, 0), min(position + 1, column.n_distinct - 1)]]
    nearby = float(neighbours[neighbours < fraction].max(initial=0.0))
    min_fraction = min(_MIN_POINT_MASS_RATIO * column.median_fraction_of_others, _SURE_POINT_MASS_FRACTION)
    if fraction < max(_MIN_POINT_MASS_FRACTION, min_fraction, _MIN_RATIO_TO_NEIGHBOURS * nearby):
        return None
    return {"percent": 100.0 * fraction, "value": float(column.values[position])}


def _find_coarse_steps(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return the step of a column of few effective values, such as a count or a rounded measurement."""
    if not column.has_unequal_weights or column.effective_n_values >= _MIN_EFFECTIVE_VALUES:
        return None
    return {"n_effective": column.effective_n_values, "step": column.step}


def _find_heavy_tails(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return the tail index (Hill, Annals of Statistics 3, 1975) of rows far outside, unless they form groups."""
    scale = float(np.abs(column.values).max())
    low, median, high = (column.quantile(probability) / scale for probability in (0.05, 0.5, 0.95))
    fence = FENCE * 0.5 * (high - low)
    distances = np.abs(column.values / scale - median)
    is_beyond = distances > fence
    if fence <= 0 or np.count_nonzero(is_beyond) < MIN_ROWS_BEYOND_FENCE:
        return None
    order = np.argsort(distances[is_beyond])
    log_distances, weights = np.log(distances[is_beyond][order] / fence), column.fractions[is_beyond][order]
    tail_index = float(weights @ (log_distances - log_distances[0]) / weights.sum())
    log_spread_without_gap = log_distances[-1] - log_distances[0] - np.diff(log_distances).max()
    if tail_index < _MIN_TAIL_INDEX or log_spread_without_gap < MIN_TAIL_LOG_SPREAD:
        return None
    return {
        "percent": 100.0 * float(weights.sum()),
        "tail_index": tail_index,
        "max_distance": float(distances.max()) * scale,
    }


def _find_skew(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return how much closer to normal a power or the logarithm makes a column without negative values."""
    if column.values[0] < 0 or total_weight < MIN_SKEW_ROWS:
        return None
    before = column.non_normality()
    if before < MIN_SKEW_NON_NORMALITY:
        return None
    powers = [power for power in POWER_TEXTS if power > 0 or column.values[0] > 0]
    after, power = min((column.non_normality(_apply_power(column.values, power)), power) for power in powers)
    if before < _MIN_SKEW_RATIO * after:
        return None
    return {"non_normality": before, "after_power": after, "power": power, "skewness": column.skewness}


def _find_left_skew(column: SortedColumn, total_weight: float) -> Evidence | None:
    """Return the same for a column without positive values, whose sign is changed first."""
    if column.values[-1] > 0:
        return None
    evidence = _find_skew(column.mirror_image, total_weight)
    return None if evidence is None else {**evidence, "skewness": -evidence["skewness"]}


def _apply_power(values: N, power: float) -> N:
    """Return values to a power; 0 means the logarithm."""
    return np.asarray(np.log(values) if power == 0.0 else values**power)


RULES = (
    DiagnosisRule(
        "discrete",
        "discrete columns",
        _find_few_values,
        "{n_distinct} distinct values from {minimum:.4g} to {maximum:.4g}",
        "Leave such columns out, and compare the groups by them afterwards.",
    ),
    DiagnosisRule(
        "saturated",
        "saturated columns",
        _find_pile_at_edge,
        "{percent:.1f} % of the rows are {value:.4g}, at the end of the range",
        "Leave out such columns or these rows, whose true values may lie beyond the range.",
    ),
    DiagnosisRule(
        "point mass",
        "columns with a point mass",
        find_point_mass,
        "{percent:.1f} % of the rows are exactly {value:.4g}",
        "Leave such columns out, or fit the other rows alone.",
    ),
    DiagnosisRule(
        "coarse steps",
        "columns of coarse steps",
        _find_coarse_steps,
        "steps of {step:.4g}, about {n_effective:.1f} effective values",
        "Use more digits if there are any, or leave such columns out.",
    ),
    DiagnosisRule(
        "skewed",
        "skewed columns",
        _find_skew,
        "skewness {skewness:.2f}, but {power_text} nearly normal",
        "Transform such columns by 'yeo-johnson' or 'log1p' (column_transform=, or --transform).",
    ),
    DiagnosisRule(
        "left-skewed",
        "left-skewed columns without positive values",
        _find_left_skew,
        "skewness {skewness:.2f}, but after a change of sign {power_text} nearly normal",
        "Transform such columns by 'yeo-johnson' (column_transform=, or --transform).",
    ),
    DiagnosisRule(
        "heavy tails",
        "columns with heavy tails",
        _find_heavy_tails,
        "{percent:.1f} % of the rows spread up to {max_distance:.4g} from the median",
        "Add a noise component (noise=True, or --noise).",
        is_described_by_noise=True,
    ),
)
