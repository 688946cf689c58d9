"""One fitted model for many tests."""

import pytest

from gaussmix.classification import ChurnModel, MixtureClassifier
from tests.classification.churn.customers import make_customers


@pytest.fixture(scope="session")
def customers():
    """A table, who left, and the group of each row."""
    return make_customers()


@pytest.fixture(scope="session")
def model(customers):
    """A model of the customers, whose classifier is refined and calibrated."""
    table, has_left, _ = customers
    return ChurnModel(MixtureClassifier(n_components=1, penalty=2.0, n_starts=1), random_state=0).fit(table, has_left)
