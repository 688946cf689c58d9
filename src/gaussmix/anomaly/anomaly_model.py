"""``AnomalyModel``: what a fitted detector knows, as one value: columns, mixtures and calibration."""

from dataclasses import dataclass

from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.ensemble import Ensemble
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.types import AnyArray, Array, N

# Added to the score of a row that breaks a relation of all training rows: more than any distance of other rows.
_BROKEN_RELATION_SCORE = 1e9


@dataclass(frozen=True, eq=False)
class AnomalyModel:
    """The scored columns, the ensemble of mixtures and the calibration scores."""

    columns: ScoredColumns
    ensemble: Ensemble
    calibration: CalibrationScores

    def score_by_half(self, rows: AnyArray) -> Array:
        """Return the scores (n, R, 2) of rows (n, D) by the fits of each half; higher is more anomalous."""
        scores = self.ensemble.score_by_half(self.columns.standardize(rows))
        scores[self.columns.find_broken_rows(rows)] += _BROKEN_RELATION_SCORE
        return scores

    def log_tails(self, rows: AnyArray) -> N:
        """Return the log probability (n,) that a normal row is as unusual as each row of (n, D), in nats."""
        return self.calibration.tail(self.score_by_half(rows).mean(axis=(1, 2)))
