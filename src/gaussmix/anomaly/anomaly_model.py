"""``AnomalyModel``: what a fitted detector knows, as one value: columns, mixtures, calibration and feedback."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.ensemble import Ensemble
from gaussmix.anomaly.feedback import Feedback, make_feedback, mean_covariance_root
from gaussmix.anomaly.normal_groups import fit_normal_groups
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.model import Mixture
from gaussmix.types import ND, AnyArray, Array, BoolN, N

# Added to the score of a row that breaks a relation of all training rows: more than any distance of other rows.
_BROKEN_RELATION_SCORE = 1e9
_BLOCK_VALUES = 4_194_304  # of a block of rows: passes of fewer cost more per row


@dataclass(frozen=True, eq=False)
class AnomalyModel:
    """The scored columns, the ensemble of mixtures and the calibration scores.

    ``normal_rows`` (m, D) are training rows that are not unusual, from which `groups` follow; or ``fitted_groups`` are
    already known, and there are no such rows.
    """

    columns: ScoredColumns
    ensemble: Ensemble
    calibration: CalibrationScores
    normal_rows: ND | None
    feature_names: tuple[str, ...] | None = None
    fitted_groups: Mixture | None = None
    feedback: Feedback | None = None

    @cached_property
    def groups(self) -> Mixture:
        """The groups of normal rows in the data's units, by which anomalies are explained."""
        if self.fitted_groups is not None:
            return self.fitted_groups
        assert self.normal_rows is not None
        return fit_normal_groups(self.columns, self.normal_rows, self.feature_names)

    def score_by_half(self, rows: AnyArray) -> Array:
        """Return the scores (n, R, 2) of rows (n, D) by the fits of each half; higher is more anomalous."""
        return self._score_in_blocks(self.ensemble.score_by_half, rows)

    def score(self, rows: AnyArray) -> N:
        """Return the scores (n,) of rows (n, D) by all fits; higher is more anomalous."""
        return self._score_in_blocks(self.ensemble.score, rows)

    def _score_in_blocks(self, score: Callable[[ND], Array], rows: AnyArray) -> Array:
        """Return the scores of rows (n, D), standardised block by block, so that one block passes all members."""
        n_block_rows = max(1, _BLOCK_VALUES // rows.shape[1])
        blocks = [rows[start : start + n_block_rows] for start in range(0, len(rows), n_block_rows)]
        scores = np.concatenate([score(self.columns.standardize(block)) for block in blocks])
        scores[self.columns.find_broken_rows(rows)] += _BROKEN_RELATION_SCORE
        return scores

    def log_tails(self, rows: AnyArray) -> N:
        """Return the log probability (n,) that a normal row is as unusual as each row of (n, D), in nats."""
        scores = self.score(rows)
        return self._apply_feedback(self.calibration.tail(scores), scores, rows)

    def p_values(
        self, rows: AnyArray, weights: N | None, density_ratios: N | None, rng: np.random.Generator | None
    ) -> N:
        """Return the p-values (n,) of rows (n, D); the other parameters are those of `CalibrationScores.p_values`."""
        by_half = self.score_by_half(rows)
        p_values = self.calibration.p_values(by_half, weights, density_ratios, rng)
        if self.feedback is None:
            return p_values
        log_p_values = self._apply_feedback(np.log(p_values), by_half.mean(axis=(1, 2)), rows)
        return np.exp(np.minimum(log_p_values, 0.0))

    def with_feedback(self, rows: ND, is_anomaly: BoolN, limit: float) -> "AnomalyModel":
        """Return the model with judged rows (m, D) and their verdicts (m,) added; ``limit`` is that of log tails."""
        if self.feedback is not None:
            rows = np.concatenate([self.feedback.rows, rows])
            is_anomaly = np.concatenate([self.feedback.is_anomaly, is_anomaly])
        scores = self.score(rows)
        feedback = make_feedback(
            rows,
            is_anomaly,
            self.columns.standardize(rows),
            scores,
            self.calibration.tail(scores),
            limit,
            mean_covariance_root(self.ensemble) if self.feedback is None else self.feedback.root,
            self.calibration.total_weight,
        )
        return replace(self, feedback=feedback)

    def _apply_feedback(self, log_tails: N, scores: N, rows: AnyArray) -> N:
        """Return log tails (n,) after what people have said about similar rows."""
        if self.feedback is None:
            return log_tails
        raised = self.feedback.raise_tails(log_tails, scores, self.calibration.total_weight)
        return raised + self.feedback.corrections(self.columns.standardize(rows))
