"""Simulated customers: groups with numbers and categories, and a churn rate for each group."""

from dataclasses import dataclass

import numpy as np

_N_LEVELS = 3


@dataclass(frozen=True)
class CustomerKind:
    """How customers are simulated.

    Attributes
    ----------
    n_rows : int
        Customers of a table.
    n_numeric, n_categorical : int
        Columns.
    separation : float
        Standard deviation of the groups' means, in standard deviations within a group.
    rates : tuple of float
        Range of the groups' churn rates.
    slope : float
        Effect of the first column on the log-odds of churn within a group, per standard deviation.
    """

    n_rows: int = 2000
    n_numeric: int = 4
    n_categorical: int = 3
    separation: float = 2.5
    rates: tuple[float, float] = (0.02, 0.6)
    slope: float = 0.0


KINDS = {
    "separated": CustomerKind(),
    "overlapping": CustomerKind(separation=0.8),
    "few leave": CustomerKind(rates=(0.001, 0.03)),
    "numbers only": CustomerKind(n_categorical=0, separation=1.5),
    "categories only": CustomerKind(n_numeric=0, n_categorical=6, separation=1.5),
    "500 customers": CustomerKind(n_rows=500, separation=1.5),
    "5000 customers": CustomerKind(n_rows=5000, separation=1.5),
    "rates within groups": CustomerKind(separation=1.5, slope=1.0),
}


@dataclass(frozen=True)
class SimulatedCustomers:
    """Columns by name, and the probability (n,) that each customer leaves."""

    table: dict[str, np.ndarray]
    probabilities: np.ndarray


@dataclass(frozen=True)
class CustomerPopulation:
    """Groups with weights (G,), means (G, D), level probabilities (G, C, L), log-odds of churn (G,), and a slope."""

    weights: np.ndarray
    means: np.ndarray
    levels: np.ndarray
    log_odds: np.ndarray
    slope: float

    @classmethod
    def draw(cls, kind: CustomerKind, rng: np.random.Generator) -> "CustomerPopulation":
        """Draw 2 to 6 groups."""
        n_groups = int(rng.integers(2, 7))
        logits = kind.separation * rng.normal(size=(n_groups, kind.n_categorical, _N_LEVELS))
        low, high = np.log(kind.rates)
        rates = np.exp(rng.uniform(low, high, n_groups))
        return cls(
            rng.dirichlet(np.full(n_groups, 4.0)),
            kind.separation * rng.normal(size=(n_groups, kind.n_numeric)),
            np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True),
            np.log(rates / (1.0 - rates)),
            kind.slope,
        )

    def draw_customers(self, rng: np.random.Generator, n_rows: int) -> SimulatedCustomers:
        """Draw customers; numbers are positive and skewed, as amounts are."""
        groups = rng.choice(len(self.weights), n_rows, p=self.weights)
        noise = rng.normal(size=(n_rows, self.means.shape[1]))
        table = {f"amount {j}": np.exp(0.3 * column) for j, column in enumerate((self.means[groups] + noise).T)}
        bounds = self.levels.cumsum(axis=2)[groups]
        drawn = (rng.random((n_rows, self.levels.shape[1], 1)) > bounds[..., :-1]).sum(axis=2)
        names = np.array(list("abc"), dtype=object)
        table |= {f"plan {c}": names[column] for c, column in enumerate(drawn.T)}
        effect = noise[:, 0] if noise.shape[1] else drawn[:, 0] - 1.0
        return SimulatedCustomers(table, 1.0 / (1.0 + np.exp(-self.log_odds[groups] - self.slope * effect)))
