"""The data of the comparison: K Gaussians of equal weight, means spread out, covariances at random."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

STRUCTURES = ("full", "tied", "diag", "spherical")


@dataclass(frozen=True)
class Case:
    """One problem: how its covariances are structured, n rows, d columns, K components, spread of the means."""

    structure: str
    n: int
    d: int
    K: int
    separation: float = 3.0

    @classmethod
    def parse(cls, structure: str, text: str) -> "Case":
        """Read 'n,d,K' or 'n,d,K,separation'."""
        n, d, K, *separation = text.split(",")
        return cls(structure, int(n), int(d), int(K), *(float(value) for value in separation))

    @property
    def size(self) -> str:
        """'200 000 x 8, K = 16'."""
        spread = "" if self.separation == 3.0 else f", separation {self.separation:g}"
        return f"{self.n:_} x {self.d}, K = {self.K}{spread}".replace("_", " ")

    def __str__(self) -> str:
        return f"{self.structure}, {self.size}"


CASES = (
    Case("full", 200_000, 2, 10),
    Case("full", 200_000, 8, 16),
    Case("full", 50_000, 32, 32),
    Case("full", 20_000, 128, 16),
    Case("diag", 100_000, 64, 64),
    Case("tied", 100_000, 32, 16),
    Case("spherical", 100_000, 32, 64),
)


def chosen_cases(structures: str | None, shapes: list[str] | None) -> list[Case]:
    """The cases of these structures (comma between; None is all), or their product with shapes given by hand."""
    names = list(STRUCTURES) if structures is None else structures.split(",")
    unknown = set(names) - set(STRUCTURES)
    if unknown:
        raise SystemExit(f"--structures: {sorted(unknown)} are unknown; there are {', '.join(STRUCTURES)}")
    if shapes is None:
        return [case for case in CASES if case.structure in names]
    return [Case.parse(name, shape) for name in (names if structures else ["full"]) for shape in shapes]


def components(d: int, K: int, separation: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Means (K, d) and factors (K, d, d) of the covariances."""
    means = rng.normal(size=(K, d)) * separation
    return means, rng.normal(size=(K, d, d)) / np.sqrt(d) + np.eye(d)


def mixture_rows(case: Case, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) in random order and the true means (K, d), from which every fit starts with unit covariances."""
    rng = np.random.default_rng(seed)
    means, factors = components(case.d, case.K, case.separation, rng)
    sizes = np.full(case.K, case.n // case.K)
    sizes[: case.n % case.K] += 1
    groups = zip(sizes, factors, means, strict=True)
    rows = [rng.normal(size=(size, case.d)) @ factor.T + mean for size, factor, mean in groups]
    return np.concatenate(rows)[rng.permutation(case.n)], means


def factor_rows(
    n: int, d: int, K: int, n_factors: int, strength: float, seed: int = 0, separation: float = 3.0, directions: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) of K factor analysers, and the group of each.

    Along each of some random directions the means are evenly spaced, in random order, ``separation`` standard
    deviations within the groups apart.
    """
    rng = np.random.default_rng(seed)
    loadings = strength * rng.normal(size=(K, d, n_factors))
    noise = rng.uniform(0.5, 1.5, (K, d))
    axes = np.linalg.qr(rng.normal(size=(d, directions)))[0]
    within = np.sqrt(np.mean(noise @ axes**2 + ((np.swapaxes(loadings, 1, 2) @ axes) ** 2).sum(axis=1), axis=0))
    places = np.array([rng.permutation(K) for _ in range(directions)]).T - (K - 1) / 2
    means = separation * (places * within) @ axes.T
    labels = rng.integers(K, size=n)
    rows = means[labels] + rng.normal(size=(n, d)) * np.sqrt(noise[labels])
    for k in range(K):
        chosen = labels == k
        rows[chosen] += rng.normal(size=(chosen.sum(), n_factors)) @ loadings[k].T
    return rows, labels


def fill_rows(rows: np.ndarray, K: int, separation: float = 3.0, seed: int = 0, block: int = 5_000) -> None:
    """Fill rows (n, d) in place, block by block, so that making large data leaves no trace in the peak memory."""
    rng = np.random.default_rng(seed)
    means, factors = components(rows.shape[1], K, separation, rng)
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        labels = rng.integers(K, size=len(part))
        part[:] = np.einsum("nij,nj->ni", factors[labels], rng.normal(size=part.shape)) + means[labels]


def save(folder: Path, rows: np.ndarray, means: np.ndarray) -> None:
    """Write rows and means as plain float64, which every language reads."""
    rows.tofile(folder / "rows.bin")
    means.tofile(folder / "means.bin")


def load(folder: Path, n: int, d: int, K: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) and means (K, d) that `save` wrote."""
    return np.fromfile(folder / "rows.bin").reshape(n, d), np.fromfile(folder / "means.bin").reshape(K, d)
