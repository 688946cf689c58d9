"""``AnomalyModel``: what a fitted detector knows, as one value: columns, mixtures, calibration and feedback."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.ensemble import Ensemble
from gaussmix.anomaly.feedback import Feedback, JudgedRows, make_feedback, mean_covariance_root
from gaussmix.anomaly.normal_groups import fit_normal_groups
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.anomaly.value_grids import ValueGrids
from gaussmix.model import Mixture
from gaussmix.types import ND, AnyArray, Array, BoolN, N

# Added to the score of a row that breaks a relation of all training rows: more than any distance of other rows.
_BROKEN_RELATION_SCORE = 1e9
_BLOCK_VALUES = 4_194_304  # of a block of rows: passes of fewer cost more per row


@dataclass(frozen=True, eq=False)
class AnomalyModel:
    """The scored columns, the ensemble of mixtures and the calibration scores.

    ``normal_rows`` (m, D) are training rows that are not unusual, from which `groups` and `grids` follow; or
    ``fitted_groups`` and ``fitted_grids`` are already known, and there are no such rows.
    """

    columns: ScoredColumns
    ensemble: Ensemble
    calibration: CalibrationScores
    normal_rows: ND | None
    feature_names: tuple[str, ...] | None = None
    fitted_groups: Mixture | None = None
    feedback: Feedback | None = None
    fitted_grids: ValueGrids | None = None

    @cached_property
    def grids(self) -> ValueGrids:
        """Which values the columns of normal rows have, by which smallest changes are chosen."""
        found = self.fitted_grids or ValueGrids.continuous(self.columns.n_features)
        if self.normal_rows is not None:
            found = ValueGrids.from_rows(self.normal_rows)
        return found.with_codes(self.columns)

    @cached_property
    def groups(self) -> Mixture:
        """The groups of normal rows in the data's units, by which anomalies are explained."""
        if self.fitted_groups is not None:
            return self.fitted_groups
        assert self.normal_rows is not None
        return fit_normal_groups(self.columns, self.normal_rows, self.feature_names, self.calibration.is_clean)

    def score_by_half(self, rows: AnyArray) -> Array:
        """Return the scores (n, R, 2) of rows (n, D) by the fits of each half; higher is more anomalous."""
        return score_rows_by_half(self.columns, self.ensemble, rows)

    def score(self, rows: AnyArray) -> N:
        """Return the scores (n,) of rows (n, D) by all fits; higher is more anomalous."""
        return np.asarray(self.score_by_half(rows).mean(axis=(1, 2)))

    def log_tails(self, rows: AnyArray) -> N:
        """Return the log probability (n,) that a normal row is as unusual as each row of (n, D), in nats."""
        scores = self.score(rows)
        return self._apply_feedback(self.calibration.tail(scores), scores, rows)

    def p_values(
        self, rows: AnyArray, weights: N | None, density_ratios: N | None, rng: np.random.Generator | None
    ) -> N:
        """Return the p-values (n,) of rows (n, D); the others are those of `CalibrationScores.log_p_values`."""
        by_half = self.score_by_half(rows)
        log_p_values = self.calibration.log_p_values(by_half, weights, density_ratios, rng)
        return self._to_p_values(log_p_values, np.asarray(by_half.mean(axis=(1, 2))), rows)

    def p_values_and_log_tails(self, rows: AnyArray) -> tuple[N, N]:
        """Return the p-values (n,) and the log tails (n,) of rows (n, D), which are scored once for both."""
        by_half = self.score_by_half(rows)
        scores = np.asarray(by_half.mean(axis=(1, 2)))
        log_tails = self._apply_feedback(self.calibration.tail(scores), scores, rows)
        return self._to_p_values(self.calibration.log_p_values(by_half, None, None, None), scores, rows), log_tails

    def _to_p_values(self, log_p_values: N, scores: N, rows: AnyArray) -> N:
        """Return the p-values (n,) of rows (n, D) with scores (n,), after what people have said about similar rows."""
        return np.exp(np.minimum(self._apply_feedback(log_p_values, scores, rows), 0.0))

    def with_feedback(self, rows: ND, is_anomaly: BoolN, limit: float) -> "AnomalyModel":
        """Return the model with judged rows (m, D) and their verdicts (m,) added; ``limit`` is that of log tails."""
        JudgedRows(rows, is_anomaly).require_consistent()
        if self.feedback is not None:
            rows = np.concatenate([self.feedback.rows, rows])
            is_anomaly = np.concatenate([self.feedback.is_anomaly, is_anomaly])
        judged = JudgedRows(rows, is_anomaly).keep_last_verdicts()
        feedback = make_feedback(
            judged,
            self.columns.standardize(judged.rows),
            self.columns.find_broken_relations(judged.rows),
            self.score(judged.rows),
            self.calibration,
            limit,
            mean_covariance_root(self.ensemble) if self.feedback is None else self.feedback.root,
        )
        return replace(self, feedback=feedback)

    def _apply_feedback(self, log_tails: N, scores: N, rows: AnyArray) -> N:
        """Return log tails (n,) after what people have said about similar rows."""
        if self.feedback is None:
            return log_tails
        raised = self.feedback.raise_tails(log_tails, scores, self.calibration.total_weight)
        is_broken = self.columns.find_broken_relations(rows)
        return self.feedback.correct_tails(raised, self.columns.standardize(rows), is_broken)


def score_rows_by_half(columns: ScoredColumns, ensemble: Ensemble, rows: AnyArray) -> Array:
    """Return the scores (n, R, 2) of rows (n, D) by the fits of each half, far higher where they break a relation.

    Rows are standardised block by block, so that one block passes all members.
    """
    n_block_rows = max(1, _BLOCK_VALUES // rows.shape[1])
    blocks = [rows[start : start + n_block_rows] for start in range(0, len(rows), n_block_rows)]
    scores = np.concatenate([ensemble.score_by_half(columns.standardize(block)) for block in blocks])
    scores[columns.find_broken_relations(rows).any(axis=1)] += _BROKEN_RELATION_SCORE
    return scores
