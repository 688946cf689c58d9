"""The peers are scikit-learn's models on the columns of a schema."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from gaussmix.classification import fit_table_schema
from gaussmix.classification.validation.peer_models import PEER_MODELS, make_coded_columns, make_indicators
from tests.classification.validation.customers import simulate_customers


@pytest.fixture(scope="module")
def encoded():
    columns, y = simulate_customers(1)
    schema = fit_table_schema(columns, y.astype(np.int64))
    return schema.encode(columns), schema, y


def test_indicators_are_those_of_scikit_learn(encoded):
    rows, schema, _ = encoded
    dense = make_indicators(rows, schema).toarray()
    encoder = OneHotEncoder(sparse_output=False, categories=[np.arange(-1, n) for n in schema.n_levels])
    numbers = np.where(np.isnan(rows.numeric), 0.0, rows.numeric)
    np.testing.assert_array_equal(dense, np.hstack([numbers, encoder.fit_transform(rows.codes)]))
    assert np.isnan(rows.numeric).any()
    assert (rows.codes < 0).any()


def test_boosting_sees_gaps_and_categories(encoded):
    rows, schema, y = encoded
    features = make_coded_columns(rows, schema)
    np.testing.assert_array_equal(np.isnan(features), np.hstack([np.isnan(rows.numeric), rows.codes < 0]))
    fitted = PEER_MODELS[2].fit(rows, schema, y, None).estimator
    assert isinstance(fitted, HistGradientBoostingClassifier)
    n_numbers = len(schema.numeric)
    np.testing.assert_array_equal(fitted.is_categorical_, np.arange(features.shape[1]) >= n_numbers)


@pytest.mark.parametrize("peer", PEER_MODELS, ids=lambda peer: peer.name)
def test_weights_reach_every_peer(encoded, peer):
    rows, schema, y = encoded
    heavy = np.where(y, 5.0, 1.0)
    plain, weighted = (peer.fit(rows, schema, y, weights).predict(rows) for weights in (None, heavy))
    assert weighted.mean() > plain.mean() + 0.1
    ones = peer.fit(rows, schema, y, np.ones(len(y))).predict(rows)
    np.testing.assert_allclose(ones, plain, atol=1e-6)


def test_logistic_regression_is_that_of_scikit_learn(encoded):
    rows, schema, y = encoded
    features = make_indicators(rows, schema).toarray()
    oracle = LogisticRegression(max_iter=1000, tol=1e-10).fit(features, y).predict_proba(features)[:, 1]
    found = PEER_MODELS[0].fit(rows, schema, y, None).predict(rows)
    np.testing.assert_allclose(found, oracle, atol=1e-3)
