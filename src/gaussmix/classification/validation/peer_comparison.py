"""``compare_with_peers``: a mixture classifier beside logistic regression and boosting, on the same splits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.evaluation.measures import (
    ClassificationMeasures,
    MeasureDifference,
    compare_measures,
    compute_measures,
)
from gaussmix.classification.evaluation.outcomes import parse_binary
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.classification.validation.comparison_sentences import describe_calibration, describe_difference
from gaussmix.classification.validation.labelled_table import LabelledTable
from gaussmix.classification.validation.out_of_fold import (
    MIXTURE_NAME,
    FittedFold,
    OutOfFold,
    predict_out_of_fold,
)
from gaussmix.classification.validation.splits import (
    ValidationPlan,
    parse_times,
    plan_split_in_time,
    plan_stratified_folds,
)
from gaussmix.core.input_arrays import parse_weights
from gaussmix.errors import ValidationError
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.types import ArrayLike, BoolN, IntN, N

_SHOWN_MEASURES = ("auc", "brier", "log_loss")
_MEASURE_NAMES = ("auc", "average_precision", "brier", "log_loss")


@dataclass(frozen=True, eq=False, repr=False)
class PeerComparison:
    """The result of `compare_with_peers`; ``print`` shows its table and sentences.

    Attributes
    ----------
    plan : str
        Which rows trained and which tested, such as '5 stratified folds of 7043 rows'.
    rows : ndarray of int64 of shape (m,)
        Positions of the test rows in the table, ascending.
    is_positive : ndarray of bool of shape (m,)
    weights : ndarray of shape (m,) or None
    probabilities : mapping of str to ndarray of shape (m,)
        Pooled out-of-fold probabilities of the positive class by each model, the mixture classifier first.
    measures : mapping of str to ClassificationMeasures
        Of each model.
    differences : mapping of str to tuple of MeasureDifference
        For each peer, the measures of the mixture classifier minus its own, on the same rows. Standard errors hold for
        other test rows; they leave out that another training sample would give other models.
    seconds : mapping of str to float
        Of all fits and predictions of each model; those of peers leave out the encoding of the table.
    folds : tuple of FittedFold
        The mixture classifier as each split fitted it, with the positions of its test rows; empty unless
        ``keep_classifiers`` was set.
    """

    plan: str
    rows: IntN
    is_positive: BoolN
    weights: N | None
    probabilities: Mapping[str, N]
    measures: Mapping[str, ClassificationMeasures]
    differences: Mapping[str, tuple[MeasureDifference, ...]]
    seconds: Mapping[str, float]
    folds: tuple[FittedFold, ...] = ()

    def table(self) -> list[dict[str, object]]:
        """Return one dict per model: measures, standard errors, differences of the mixture classifier, seconds.

        The row of the mixture classifier has None in place of differences.
        """
        return [self._table_row(model) for model in self.measures]

    def _table_row(self, model: str) -> dict[str, object]:
        """Return the row of one model."""
        measures = self.measures[model]
        row: dict[str, object] = {"model": model}
        for name in _MEASURE_NAMES:
            row[name] = getattr(measures, name)
            row[f"{name}_standard_error"] = getattr(measures, f"{name}_standard_error")
        row["calibration_error"] = measures.calibration_error
        row["calibration_error_by_chance"] = measures.calibration_error_by_chance
        differences = self.differences.get(model)
        for position, name in enumerate(_MEASURE_NAMES):
            found = None if differences is None else differences[position]
            row[f"{name}_difference"] = None if found is None else found.difference
            row[f"{name}_difference_standard_error"] = None if found is None else found.standard_error
        return row | {"seconds": self.seconds[model]}

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per peer: does the mixture classifier rank better, and are its probabilities more accurate?

        The last sentence is on its calibration.
        """
        found = [describe_difference(peer, differences) for peer, differences in self.differences.items()]
        return (*found, describe_calibration(self.measures[MIXTURE_NAME]))

    def __repr__(self) -> str:
        """Return the table and the sentences."""
        width = max(map(len, self.measures))
        head = f"{'':<{width}}  {'AUC':>15}  {'Brier score':>15}  {'log-loss':>15}  {'ECE':>6}  {'seconds':>7}"
        lines = [f"{self.plan[:1].upper()}{self.plan[1:]}", head]
        for model, found in self.measures.items():
            pairs = ((getattr(found, name), getattr(found, f"{name}_standard_error")) for name in _SHOWN_MEASURES)
            cells = "  ".join(f"{value:.4f} ± {error:.4f}" for value, error in pairs)
            lines.append(f"{model:<{width}}  {cells}  {found.calibration_error:.4f}  {self.seconds[model]:7.1f}")
        return "\n".join([*lines, *self.sentences])


def compare_with_peers(
    classifier: Any,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    n_folds: int = 5,
    random_state: int = 0,
    time: ArrayLike | None = None,
    test_fraction: float = 0.2,
    keep_classifiers: bool = False,
    progress: bool | ProgressCallback | None = None,
) -> PeerComparison:
    """Compare a mixture classifier with models of scikit-learn on rows that none of them has seen.

    The peers are logistic regression on the columns as they are and on the columns as the schema of the classifier
    transforms them, and histogram gradient boosting. Everything is learned from the training rows of each split.

    Parameters
    ----------
    classifier : MixtureClassifier
        Its configuration; it need not be fitted, and is not changed.
    X : data frame, dict of columns or array of shape (n, d)
    y : array-like of shape (n,)
        True or 1 for rows of the positive class, False or 0 for others.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1. Rows of weight zero are left out.
    n_folds : int, default=5
        Number of stratified folds.
    random_state : int, default=0
        Seed of the folds.
    time : array-like of shape (n,), optional
        Numbers or dates. If given, the models are trained on earlier and tested on later rows, instead of folds. A
        number of the same column in ``X`` stays an input, so leave it out of ``X`` unless it is known in advance.
    test_fraction : float, default=0.2
        Fraction of the rows that test, with ``time``.
    keep_classifiers : bool, default=False
        Whether to keep the mixture classifiers of the splits as ``folds``, to explain their probabilities.
    progress : bool, callable or None, default=None
        True shows a progress bar; a callable is called as ``progress(n_done, n_total, step_name)``.

    Returns
    -------
    PeerComparison

    Raises
    ------
    DataError, ParameterError
        If the table, the outcomes, the times or a parameter are invalid, or a class has too few rows.
    """
    table, counted = _parse_table(X, y, sample_weight)
    if time is None:
        plan = plan_stratified_folds(table.is_positive, n_folds, random_state)
    else:
        times = parse_times(time, len(parse_binary(y)))[counted]
        plan = plan_split_in_time(table.is_positive, times, test_fraction)
    with make_progress_callback(progress, "Compare models") as callback:
        found = predict_out_of_fold(
            classifier,
            table,
            plan,
            with_peers=True,
            keep_classifiers=keep_classifiers,
            progress_callback=callback,
        )
    return _compare(plan, table, counted, found)


def _parse_table(X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> tuple[LabelledTable, IntN]:
    """Return the table without the rows of weight zero, and the positions of the others."""
    is_positive = parse_binary(y)
    n_rows = read_input_table(X).n_rows
    if n_rows != len(is_positive):
        raise ValidationError.not_one_outcome_per_row(len(is_positive), n_rows)
    weights = parse_weights(sample_weight, n_rows)
    table = LabelledTable(X, is_positive, weights)
    if weights is None or weights.all():
        return table, np.arange(n_rows)
    counted = np.flatnonzero(weights)
    return table.select_rows(counted), counted


def _compare(
    plan: ValidationPlan, table: LabelledTable, counted: IntN, found: Mapping[str, OutOfFold]
) -> PeerComparison:
    """Return measures and differences of pooled out-of-fold probabilities."""
    tested = plan.test_rows
    y = table.is_positive[tested]
    weights = None if table.weights is None else table.weights[tested]
    probabilities = {model: one.probabilities[tested] for model, one in found.items()}
    mixture = probabilities[MIXTURE_NAME]
    return PeerComparison(
        plan.description,
        counted[tested],
        y,
        weights,
        probabilities,
        {model: compute_measures(y, p, weights) for model, p in probabilities.items()},
        {peer: compare_measures(y, mixture, probabilities[peer], weights) for peer in found if peer != MIXTURE_NAME},
        {model: one.seconds for model, one in found.items()},
        tuple(FittedFold(classifier, counted[rows]) for classifier, rows in found[MIXTURE_NAME].folds),
    )
