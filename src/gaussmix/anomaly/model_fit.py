"""Fit an `AnomalyModel`: divide the rows, choose the ridge, fit the mixtures, calibrate on unseen rows."""

from typing import Any, NamedTuple

import numpy as np

from gaussmix.anomaly.anomaly_model import AnomalyModel, score_rows_by_half
from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.ensemble import fit_ensemble, select_unseen_scores
from gaussmix.anomaly.member import MemberOptions
from gaussmix.anomaly.member_choice import choose_members
from gaussmix.anomaly.normal_groups import MAX_ROWS
from gaussmix.anomaly.row_partition import CALIBRATIONS, Calibration, RowPartition, partition_rows
from gaussmix.anomaly.scored_columns import ScoredColumns
from gaussmix.anomaly.thresholds import TrainingScores
from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.core.scalar_checks import is_integer, is_number_in, require_integer
from gaussmix.covariance import Structure, parse_structure
from gaussmix.errors import AnomalyParameterError, ParameterError
from gaussmix.estimators._validation import require_choice
from gaussmix.types import ND, AnyArray, IntN, N

_AUTO = "auto"
_MAX_FIT_DEVIATIONS = 1e6  # of a value that a mixture is fitted to; squares of larger ones hide the ridge
_MAX_REPEATED_ROWS = 2_000_000
_NORMAL_PROBABILITY = 0.95  # of contaminated rows, those of lowest scores explain the others
_AUTO_CALIBRATIONS = {"contaminated": "cross", "clean": "split"}


class DetectorOptions(NamedTuple):
    """The checked parameters of a detector; None where the data choose."""

    is_clean: bool
    calibration: Calibration
    numbers_of_components: tuple[int, ...] | None
    structure: Structure
    ridge: float | None
    n_repeats: int | None

    @classmethod
    def parse(cls, estimator: Any, has_calibration_rows: bool) -> "DetectorOptions":
        """Return the options of an AnomalyDetector; raise ParameterError if one is not allowed."""
        require_choice("training", estimator.training, list(_AUTO_CALIBRATIONS))
        require_choice("calibration", estimator.calibration, [_AUTO, *CALIBRATIONS])
        if has_calibration_rows and estimator.calibration != _AUTO:
            raise AnomalyParameterError.calibration_twice(estimator.calibration)
        automatic = _AUTO_CALIBRATIONS[estimator.training]
        calibration = automatic if estimator.calibration == _AUTO else estimator.calibration
        if not _is_auto(estimator.shrinkage) and not is_number_in(estimator.shrinkage, 0.0, np.inf):
            raise ParameterError.invalid_value("shrinkage", estimator.shrinkage, "'auto', or a finite number above 0")
        if not _is_auto(estimator.n_repeats) and not is_integer(estimator.n_repeats, 1):
            allowed = "'auto', or a whole number of at least 1"
            raise ParameterError.invalid_value("n_repeats", estimator.n_repeats, allowed)
        if estimator.n_factors is not None:
            require_integer("n_factors", estimator.n_factors, 1)
        return cls(
            estimator.training == "clean",
            CALIBRATIONS[calibration],
            None if _is_auto(estimator.n_components) else _parse_numbers_of_components(estimator.n_components),
            parse_structure(estimator.covariance_type, estimator.n_factors, "covariance_type"),
            None if _is_auto(estimator.shrinkage) else float(estimator.shrinkage),
            None if _is_auto(estimator.n_repeats) else require_integer("n_repeats", estimator.n_repeats, 1),
        )


class FitResult(NamedTuple):
    """A model, the ridge in use, the rows (n, D) of the fit and their weights (n,) or None.

    ``unseen_scores`` (n,) are by fits that have not seen the row, and ``positions`` (m,) are those of the rows given.
    """

    model: AnomalyModel
    ridge: float
    rows: AnyArray
    weights: N | None
    unseen_scores: N
    positions: IntN

    def make_training_scores(self) -> TrainingScores:
        """Return what a threshold may depend on."""
        model, rows = self.model, self.rows
        unseen = model.calibration.tail(self.unseen_scores)
        return TrainingScores(model.calibration, unseen, lambda: model.log_tails(rows), self.weights)

    def compute_training_p_values(self) -> N:
        """Return the p-value (m,) of each of the rows given, by fits that have not seen it."""
        return self.model.calibration.p_values_of_scores(self.unseen_scores[self.positions])


def drop_rows_without_weight(rows: AnyArray, weights: N | None) -> tuple[AnyArray, N | None]:
    """Return the rows (n, D) that count, and their weights (n,) or None."""
    if weights is None or (weights > 0).all():
        return rows, weights
    return rows[weights > 0], weights[weights > 0]


def fit_anomaly_model(
    rows: AnyArray,
    weights: N | None,
    normal_rows: AnyArray | None,
    options: DetectorOptions,
    names: tuple[str, ...] | None,
    rng: np.random.Generator,
) -> FitResult:
    """Fit a model to rows (n, D) with weights (n,) or None, calibrated on ``normal_rows`` (m, D) if they are given."""
    calibration = options.calibration if normal_rows is None else CALIBRATIONS["cross"]
    rows, weights, positions = _repeat_rows(rows, weights, calibration)
    partition = partition_rows(np.asarray(rows), weights, calibration, options.n_repeats, rng)
    columns = _scored_columns_of_fits(rows, weights, partition)
    standardized = np.clip(columns.standardize(rows), -_MAX_FIT_DEVIATIONS, _MAX_FIT_DEVIATIONS)
    columns.spread_codes(standardized, rows, partition.random_order, rng)
    base = MemberOptions(0, options.structure, 0.0, options.is_clean)
    choices = options.numbers_of_components, options.ridge
    members = choose_members(standardized, weights, partition, base, *choices, rng)
    ensemble = fit_ensemble(standardized, weights, partition, members, rng)
    unseen_scores = select_unseen_scores(score_rows_by_half(columns, ensemble, rows), partition.halves)
    if normal_rows is None:
        scores = _calibrate_on_training_rows(unseen_scores, weights, partition, options)
    else:
        by_half = score_rows_by_half(columns, ensemble, normal_rows)
        halves = np.full((len(normal_rows), partition.n_repeats), -1, dtype=np.int64)
        scores = CalibrationScores.from_scores(by_half.mean(axis=(1, 2)), None, halves, True, False)
    normal = _select_normal_rows(rows, unseen_scores, weights, partition, options)
    model = AnomalyModel(columns, ensemble, scores, normal, names)
    return FitResult(model, members[0].ridge, rows, weights, unseen_scores, positions)


def _repeat_rows(rows: AnyArray, weights: N | None, calibration: Calibration) -> tuple[AnyArray, N | None, IntN]:
    """Return rows (n, D), weights (n,) or None, and the positions (m,) among them of the rows given (m, D).

    A split draws rows one by one, so that rows of whole weights are repeated, unless they are millions.
    """
    positions = np.arange(len(rows))
    if weights is None or not calibration.count_held_out(len(rows)) or weights.sum() > _MAX_REPEATED_ROWS:
        return rows, weights, positions
    counts = weights.astype(np.int64)
    if (counts != weights).any():
        return rows, weights, positions
    return np.repeat(rows, counts, axis=0), None, np.cumsum(counts) - counts


def _scored_columns_of_fits(rows: AnyArray, weights: N | None, partition: RowPartition) -> ScoredColumns:
    """Return the scored columns of the rows (n, D) that fits see: the others calibrate, and are as new as new rows."""
    order = np.argsort(partition.random_order, kind="stable")  # sums then do not depend on the order of the rows
    seen = order[~partition.is_held_out[order]]
    return ScoredColumns.from_rows(rows[seen], None if weights is None else weights[seen])


def _select_normal_rows(
    rows: AnyArray, unseen_scores: N, weights: N | None, partition: RowPartition, options: DetectorOptions
) -> ND:
    """Return at most 2000 random training rows (m, D), without the most unusual ones where these may be anomalies."""
    probability = 1.0 if options.is_clean else _NORMAL_PROBABILITY
    is_normal = unseen_scores <= weighted_quantile(unseen_scores, weights, probability)
    positions = np.flatnonzero(is_normal)
    chosen = positions[np.argsort(partition.random_order[positions], kind="stable")[:MAX_ROWS]]
    return np.asarray(rows[chosen], dtype=np.float64)


def _calibrate_on_training_rows(
    unseen_scores: N, weights: N | None, partition: RowPartition, options: DetectorOptions
) -> CalibrationScores:
    """Return the calibration on the rows held out from all fits, or else on all rows."""
    chosen = partition.is_held_out if partition.is_held_out.any() else np.ones(len(unseen_scores), dtype=bool)
    return CalibrationScores.from_scores(
        unseen_scores[chosen],
        None if weights is None else weights[chosen],
        partition.halves[chosen],
        options.is_clean,
        options.calibration.compares_by_half,
    )


def _is_auto(value: object) -> bool:
    """Return whether the data choose."""
    return isinstance(value, str) and value == _AUTO


def _parse_numbers_of_components(value: object) -> tuple[int, ...]:
    """Return the numbers of components of the members; raise ParameterError unless there is at least one."""
    numbers = list(value) if isinstance(value, tuple | list | range | np.ndarray) else [value]
    if not numbers or not all(is_integer(k, 1) for k in numbers):
        allowed = "'auto', a whole number of at least 1, or a sequence of such numbers"
        raise ParameterError.invalid_value("n_components", value, allowed)
    return tuple(require_integer("n_components", k, 1) for k in numbers)
