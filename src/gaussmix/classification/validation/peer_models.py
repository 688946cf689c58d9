"""The models that a mixture classifier is compared with: logistic regression and boosting of scikit-learn.

They see the columns of a `TableSchema`, so that identifiers are left out and columns that say the same are merged for
them, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack

from gaussmix.classification.table import EncodedRows, TableSchema
from gaussmix.types import Array, BoolN, N

_MAX_CATEGORIES_OF_BOOSTING = 255  # of a column that scikit-learn's boosting splits by category
_MAX_ITER = 1000  # of L-BFGS; standardised columns take a few dozen


@dataclass(frozen=True)
class PeerModel:
    """One of the models.

    Attributes
    ----------
    name : str
    has_transforms : bool
        Whether it sees the columns as the schema of the mixture classifier transforms them, or as they are.
    create : callable
        Called as ``create(schema)``; returns an estimator that is not fitted.
    make_features : callable
        Called as ``make_features(rows, schema)``; returns the matrix that the estimator sees.
    """

    name: str
    has_transforms: bool
    create: Callable[[TableSchema], Any]
    make_features: Callable[[EncodedRows, TableSchema], Any]

    def fit(self, rows: EncodedRows, schema: TableSchema, is_positive: BoolN, weights: N | None) -> "FittedPeer":
        """Return the model fitted to training rows."""
        estimator = self.create(schema)
        estimator.fit(self.make_features(rows, schema), is_positive, sample_weight=weights)
        return FittedPeer(self, schema, estimator)


@dataclass(frozen=True, eq=False)
class FittedPeer:
    """A fitted model with the schema of its columns."""

    peer: PeerModel
    schema: TableSchema
    estimator: Any

    def predict(self, rows: EncodedRows) -> N:
        """Return the probability (n,) of the positive class."""
        return np.asarray(self.estimator.predict_proba(self.peer.make_features(rows, self.schema))[:, 1])


def make_indicators(rows: EncodedRows, schema: TableSchema) -> csr_array:
    """Return numbers, the mean in place of missing ones, and an indicator of each level, one for missing among them."""
    numbers = csr_array(np.where(np.isnan(rows.numeric), 0.0, rows.numeric))
    blocks = [numbers]
    for j, n_levels in enumerate(schema.n_levels):
        entries = (np.ones(rows.n_rows), (np.arange(rows.n_rows), rows.codes[:, j] + 1))
        blocks.append(csr_array(entries, shape=(rows.n_rows, n_levels + 1)))
    return csr_array(hstack(blocks, format="csr"))


def make_coded_columns(rows: EncodedRows, schema: TableSchema) -> Array:
    """Return numbers and codes (n, D + C) as floats, NaN where they are missing."""
    return np.hstack([rows.numeric, np.where(rows.codes < 0, np.nan, rows.codes)])


def _create_logistic_regression(schema: TableSchema) -> Any:
    """Return logistic regression with scikit-learn's default penalty."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=_MAX_ITER)


def _create_boosting(schema: TableSchema) -> Any:
    """Return histogram gradient boosting with settings that are usual for a few thousand rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    is_category = [False] * len(schema.numeric) + [n <= _MAX_CATEGORIES_OF_BOOSTING for n in schema.n_levels]
    return HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=150, max_leaf_nodes=15, categorical_features=is_category, random_state=0
    )


PEER_MODELS = (
    PeerModel("logistic regression", False, _create_logistic_regression, make_indicators),
    PeerModel("logistic regression, transformed columns", True, _create_logistic_regression, make_indicators),
    PeerModel("histogram gradient boosting", False, _create_boosting, make_coded_columns),
)
