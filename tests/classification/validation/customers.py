"""Simulated customers, and a small classifier with the interface of a mixture classifier."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from gaussmix.classification import fit_table_schema


def simulate_customers(seed, n=400):
    """Return a dict of columns with gaps, and who churned."""
    rng = np.random.default_rng(seed)
    tenure = rng.exponential(20.0, n).round(3)
    contract = rng.choice(["month", "year"], n, p=[0.6, 0.4])
    charge = rng.normal(60.0, 15.0, n).round(2)
    logit = 0.8 - 0.9 * np.log1p(tenure) + 1.2 * (contract == "month") + 0.04 * (charge - 60.0)
    is_churned = rng.random(n) < 1.0 / (1.0 + np.exp(-logit))
    charge[rng.random(n) < 0.1] = np.nan
    texts = [None if rng.random() < 0.1 else str(value) for value in contract]
    return {"tenure": tenure, "contract": np.array(texts, dtype=object), "charge": charge}, is_churned


class SchemaClassifier(ClassifierMixin, BaseEstimator):
    """Linear discriminant analysis of the numbers of a table, missing ones as the mean."""

    def __init__(self, categorical="auto", transform="auto"):
        self.categorical = categorical
        self.transform = transform

    def fit(self, X, y, sample_weight=None):
        codes = np.asarray(y, dtype=np.int64)
        self.schema_ = fit_table_schema(X, codes, sample_weight, categorical=self.categorical, transform=self.transform)
        self.classes_ = np.unique(y)
        self.model_ = LinearDiscriminantAnalysis().fit(self._numbers(X), y)
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(self._numbers(X))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _numbers(self, X):
        return np.nan_to_num(self.schema_.encode(X).numeric)
