"""Drift of a whole table: are its rows, but for a few anomalies, still what normal rows are?

Each column of m normal and n new rows is compared by the distance D of the two distribution functions (Kolmogorov and
Smirnov), and so is the score of the rows by mixtures that have seen neither. A fraction e of anomalies moves D by at
most e. So D - e is compared with what rows of one source give:

    P(D - e >= d) <= 2.17 exp(-2 d^2 m n / (m + n)).

With 2 for 2.17 this is the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart for one sample; 2.17 is enough for
two samples of 4 or more rows (Wei & Dudley, Statistics & Probability Letters 82, 2012: proved for m = n, computed for
m < n <= 200, exact in the limit). Ties make D smaller. C comparisons share the rate of false alarms (Bonferroni), so
that the dependence of the columns does not matter. All new rows share the calibration rows; that is why samples are
compared and not p-values with a uniform distribution.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gaussmix.anomaly.explanation import parse_is_anomaly
from gaussmix.core.input_arrays import column_names, parse_rows
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import DataError, ParameterError
from gaussmix.errors.text import join_with_and
from gaussmix.types import ArrayLike, N

_BOUND_CONSTANT = 2.17
_MAX_ANOMALY_FRACTION = 0.05  # anomalies are few; more flagged rows than that are another source
_MAX_NAMES = 5
_SCORE_NAME = "score"
_PHRASES = {
    "up": "{} moved up",
    "down": "{} moved down",
    "wider": "{} spreads wider",
    "narrower": "{} became narrower",
}
_SCORE_PHRASES = {
    "up": "the rows as a whole are more unusual",
    "down": "the rows as a whole are less unusual",
    "wider": "the scores of the rows spread wider",
    "narrower": "the scores of the rows became narrower",
}


@dataclass(frozen=True)
class DriftedColumn:
    """A column whose distribution differs.

    Attributes
    ----------
    name : str
        'score' for the score of the rows.
    direction : str
        'up', 'down', 'wider' or 'narrower'.
    distance : float
        Largest difference of the two distribution functions, from 0 to 1.
    p_value : float
        Bound of the probability that rows of one source differ as much, but for the anomalies.
    is_score : bool
        Whether it is the score of the rows and no column.
    """

    name: str
    direction: str
    distance: float
    p_value: float
    is_score: bool = False

    @property
    def description(self) -> str:
        """What happened: 'bill moved up'."""
        return (_SCORE_PHRASES if self.is_score else _PHRASES)[self.direction].format(self.name)


@dataclass(frozen=True)
class TableDrift:
    """The columns that drifted, the largest distance first and the score last, and the rate of false alarms."""

    columns: tuple[DriftedColumn, ...]
    false_alarm_rate: float

    @property
    def has_drift(self) -> bool:
        """Whether a column drifted."""
        return bool(self.columns)

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        end = f"(Kolmogorov-Smirnov, false-alarm rate {self.false_alarm_rate:.3g})."
        if not self.columns:
            return f"No drift: but for a few anomalies, the rows may have the source of the normal rows {end}"
        found = _join([column.description for column in self.columns])
        return f"The rows differ from the normal rows by more than a few anomalies: {found} {end}"

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence


def find_table_drift(
    detector: Any,
    reference: ArrayLike,
    X: ArrayLike,
    *,
    is_anomaly: ArrayLike | None = None,
    false_alarm_rate: float = 0.05,
) -> TableDrift:
    """Return whether rows that arrived together still are what normal rows are, and which columns drifted.

    The score is compared, too, if the detector has calibration rows that no fit has seen, as after clean training. It
    shows what no column shows alone. To watch rows one by one, use `DriftMonitor`.

    Parameters
    ----------
    detector : fitted AnomalyDetector
    reference : array-like of shape (m, D)
        Normal rows, such as those that the detector was fitted to.
    X : array-like of shape (n, D)
        New rows.
    is_anomaly : bool or array-like of bool of shape (n,), optional
        Which rows are known anomalies, such as those of `select_anomalies`. They explain a distance of their fraction,
        at most 0.05. By default none.
    false_alarm_rate : float, default=0.05
        Largest probability to find drift where there is none but these anomalies, above 0 and below 1.

    Returns
    -------
    TableDrift

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are not allowed.
    """
    if not is_number_in(false_alarm_rate, 0.0, 1.0):
        raise ParameterError.invalid_value("false_alarm_rate", false_alarm_rate, "a number above 0 and below 1")
    model = detector.model_
    normal, rows = (parse_rows(data, model.columns.n_features, model.feature_names) for data in (reference, X))
    if not len(normal) or not len(rows):
        raise DataError.no_rows()
    flags = parse_is_anomaly(False if is_anomaly is None else is_anomaly, len(rows))
    allowed = min(float(flags.mean()), _MAX_ANOMALY_FRACTION)
    names = model.feature_names or column_names(X) or [f"column {j}" for j in range(rows.shape[1])]
    compared = [_compare_samples(name, normal[:, j], rows[:, j], allowed) for j, name in enumerate(names)]
    calibration = model.calibration
    if calibration.is_clean and calibration.weights is None and (calibration.halves < 0).all():
        score = _compare_samples(_SCORE_NAME, calibration.scores, model.score(rows), allowed)
        compared.append(replace(score, is_score=True))
    drifted = [column for column in compared if column.p_value * len(compared) <= false_alarm_rate]
    return TableDrift(
        tuple(sorted(drifted, key=lambda column: (column.is_score, -column.distance))), float(false_alarm_rate)
    )


def _compare_samples(name: str, normal: N, new: N, allowed: float) -> DriftedColumn:
    """Return how values (n,) differ from normal ones (m,), beyond a distance that is allowed."""
    gaps = measure_gaps(normal, new)
    distance = max(gaps.up, gaps.down)
    effective = len(normal) * len(new) / (len(normal) + len(new))
    p_value = min(1.0, _BOUND_CONSTANT * float(np.exp(-2.0 * effective * max(distance - allowed, 0.0) ** 2)))
    return DriftedColumn(name, gaps.direction, distance, p_value)


class Gaps(NamedTuple):
    """By how much two distribution functions differ where new values are larger, and where they are smaller.

    ``is_down_first`` says whether the latter place is below the former.
    """

    up: float
    down: float
    is_down_first: bool

    @property
    def direction(self) -> str:
        """What happened to the values: a shift has one gap, another spread has two."""
        if 2.0 * min(self.up, self.down) < max(self.up, self.down):
            return "up" if self.up > self.down else "down"
        return "wider" if self.is_down_first else "narrower"


def measure_gaps(normal: N, new: N) -> Gaps:
    """Return the gaps between the distribution functions of normal (m,) and new values (n,)."""
    places = np.sort(np.concatenate([normal, new]))
    excess = _distribution_function(new, places) - _distribution_function(normal, places)
    lowest, highest = int(excess.argmin()), int(excess.argmax())
    return Gaps(max(-float(excess[lowest]), 0.0), max(float(excess[highest]), 0.0), highest < lowest)


def _distribution_function(values: N, places: N) -> N:
    """Return the fraction of values (n,) up to each place (m,)."""
    return np.asarray(np.searchsorted(np.sort(values), places, side="right") / len(values))


def _join(phrases: list[str]) -> str:
    """Return the first phrases as an enumeration."""
    n_more = len(phrases) - _MAX_NAMES
    more = [f"{n_more} more {'differs' if n_more == 1 else 'differ'}"] if n_more > 0 else []
    return join_with_and([*phrases[:_MAX_NAMES], *more], max_names=None)
