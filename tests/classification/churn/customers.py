"""Customers for tests: three groups with a contract, an internet service, months, a price and derived columns."""

import numpy as np

GROUP_RATES = np.array([0.8, 0.35, 0.05])


def make_customers(n_rows=600, seed=0):
    """Return a table with text, numbers, a flag, gaps and a determined column, who left, and the group of each row."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n_rows)
    months = np.ceil(np.exp(rng.normal(np.array([1.2, 2.5, 3.8])[group], 0.4)))
    price = np.round(rng.normal(np.array([80.0, 50.0, 25.0])[group], 5.0), 2)
    contract = np.where(rng.random(n_rows) < np.array([0.05, 0.4, 0.9])[group], "Two year", "Month-to-month")
    service = np.array(["Fiber optic", "DSL", "No"], dtype=object)[group]
    streaming = np.where(rng.random(n_rows) < 0.5, "Yes", "No").astype(object)
    streaming[service == "No"] = "No internet service"
    rate = np.clip(GROUP_RATES[group] + np.where(contract == "Two year", -0.04, 0.04), 0.01, 0.95)
    table = {
        "months": months,
        "price": price,
        "price in cents": np.round(100.0 * price),
        "contract": contract.astype(object),
        "service": service,
        "streaming": streaming,
        "senior": rng.integers(0, 2, n_rows),
    }
    table["months"][rng.random(n_rows) < 0.02] = np.nan
    return table, rng.random(n_rows) < rate, group


def make_useless_amounts(has_left, seed=0):
    """Return numbers with the same distribution among customers who left and who stayed."""
    amounts = np.empty(len(has_left))
    for outcome in (False, True):
        rows = np.random.default_rng(seed).permutation(np.flatnonzero(has_left == outcome))
        amounts[rows] = np.round(np.linspace(30.0, 70.0, len(rows)), 4)
    return amounts


def select_rows(table, rows):
    """Return some rows of a dict of columns."""
    return {name: values[rows] for name, values in table.items()}
