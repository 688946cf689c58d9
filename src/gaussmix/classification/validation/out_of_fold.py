"""Probabilities of rows by models that have not seen them: of a classifier, and of its peers on the same splits."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gaussmix.classification.table import TableSchema, fit_table_schema
from gaussmix.classification.validation.labelled_table import LabelledTable
from gaussmix.classification.validation.peer_models import PEER_MODELS
from gaussmix.classification.validation.splits import ValidationPlan
from gaussmix.errors import DataWarning, GaussmixWarning, ValidationError
from gaussmix.estimators._verbose import start_stopwatch
from gaussmix.selection.progress import ProgressCallback
from gaussmix.types import IntN, N

MIXTURE_NAME = "mixture classifier"


class FittedFold(NamedTuple):
    """A classifier that was fitted to the training rows of a split, and the positions (m,) of the test rows."""

    classifier: Any
    rows: IntN


class TimedPrediction(NamedTuple):
    """Probabilities (m,) of the positive class, the seconds of fit and prediction, and the classifier if it is ours."""

    model: str
    probabilities: N
    seconds: float
    classifier: Any = None


class OutOfFold(NamedTuple):
    """Probabilities (n,) of the positive class, NaN for rows that no split tests, and the seconds of all fits.

    ``folds`` are the fitted classifiers, if they are kept.
    """

    probabilities: N
    seconds: float
    folds: tuple[FittedFold, ...] = ()


def predict_out_of_fold(
    classifier: Any,
    table: LabelledTable,
    plan: ValidationPlan,
    *,
    with_peers: bool = False,
    keep_classifiers: bool = False,
    progress_callback: ProgressCallback | None = None,
) -> Mapping[str, OutOfFold]:
    """Return the out-of-fold probabilities of a classifier, and on request of the models in ``PEER_MODELS``, by name.

    Parameters
    ----------
    classifier : estimator
        Not changed: each split fits a clone. ``with_peers`` reads its fitted ``schema_``.
    table : LabelledTable
    plan : ValidationPlan
    with_peers : bool, default=False
    keep_classifiers : bool, default=False
        Whether to return the fitted classifier of each split.
    progress_callback : callable, optional
        Called before each split.

    Raises
    ------
    ValidationError
        If a probability is not finite.
    """
    found: dict[str, OutOfFold] = {}
    for step, split in enumerate(plan.splits):
        if progress_callback is not None:
            progress_callback(step, len(plan.splits), f"split {step + 1}")
        train, test = table.select_rows(split.train), table.select_rows(split.test)
        for model, p, seconds, fitted in _predict_test_rows(classifier, train, test, with_peers):
            if not np.isfinite(p).all():
                raise ValidationError.probabilities_not_finite(model, int((~np.isfinite(p)).sum()))
            before = found.get(model, OutOfFold(np.full(len(table.is_positive), np.nan), 0.0))
            before.probabilities[split.test] = p
            kept = (FittedFold(fitted, split.test),) if keep_classifiers and fitted is not None else ()
            found[model] = before._replace(seconds=before.seconds + seconds, folds=before.folds + kept)
    return found


def _predict_test_rows(
    classifier: Any, train: LabelledTable, test: LabelledTable, with_peers: bool
) -> Iterator[TimedPrediction]:
    """Yield the probabilities of the test rows by each model, the classifier first."""
    from sklearn.base import clone

    elapsed_seconds = start_stopwatch()
    options = {} if train.weights is None else {"sample_weight": train.weights}
    fitted = clone(classifier).fit(train.X, train.is_positive, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # test rows may have a rare category that no training row has
        p = np.asarray(fitted.predict_proba(test.X), dtype=np.float64)[:, 1]
    yield TimedPrediction(MIXTURE_NAME, p, elapsed_seconds(), fitted)
    if with_peers:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GaussmixWarning)  # the classifier has warned of the same columns
            yield from _predict_by_peers(fitted, train, test)


def _predict_by_peers(fitted: Any, train: LabelledTable, test: LabelledTable) -> Iterator[TimedPrediction]:
    """Yield the probabilities of the test rows by each peer; seconds leave out the encoding of the table."""
    encodings = {}
    for has_transforms in (False, True):
        schema = fitted.schema_ if has_transforms else _fit_plain_schema(fitted, train)
        encodings[has_transforms] = (schema, schema.encode(train.X), schema.encode(test.X))
    for peer in PEER_MODELS:
        schema, train_rows, test_rows = encodings[peer.has_transforms]
        elapsed_seconds = start_stopwatch()
        p = peer.fit(train_rows, schema, train.is_positive, train.weights).predict(test_rows)
        yield TimedPrediction(peer.name, p, elapsed_seconds())


def _fit_plain_schema(fitted: Any, train: LabelledTable) -> TableSchema:
    """Return a schema without transforms, where numbers are categories only if the user says so."""
    categorical = fitted.get_params().get("categorical")
    chosen = None if isinstance(categorical, str) else categorical
    codes = train.is_positive.astype(np.int64)
    return fit_table_schema(train.X, codes, train.weights, categorical=chosen, transform=None)
