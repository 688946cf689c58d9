"""The data of the comparison: K Gaussians of equal weight, means spread out, covariances at random."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

STRUCTURES = ("full", "tied", "diag", "spherical")


@dataclass(frozen=True)
class BenchmarkCase:
    """One problem: how its covariances are structured, n rows, d columns, K components, spread of the means."""

    structure: str
    n_rows: int
    n_features: int
    n_components: int
    separation: float = 3.0

    @classmethod
    def from_text(cls, structure: str, text: str) -> "BenchmarkCase":
        """Read 'n,d,K' or 'n,d,K,separation'."""
        n, d, K, *separation = text.split(",")
        return cls(structure, int(n), int(d), int(K), *(float(value) for value in separation))

    @property
    def size_text(self) -> str:
        """'200 000 x 8, K = 16'."""
        spread = "" if self.separation == 3.0 else f", separation {self.separation:g}"
        return f"{self.n_rows:_} x {self.n_features}, K = {self.n_components}{spread}".replace("_", " ")

    def __str__(self) -> str:
        return f"{self.structure}, {self.size_text}"


CASES = (
    BenchmarkCase("full", 200_000, 2, 10),
    BenchmarkCase("full", 200_000, 8, 16),
    BenchmarkCase("full", 50_000, 32, 32),
    BenchmarkCase("full", 20_000, 128, 16),
    BenchmarkCase("diag", 100_000, 64, 64),
    BenchmarkCase("tied", 100_000, 32, 16),
    BenchmarkCase("spherical", 100_000, 32, 64),
)


def select_cases(structures: str | None, shapes: list[str] | None) -> list[BenchmarkCase]:
    """The cases of these structures (comma between; None is all), or their product with shapes given by hand."""
    names = list(STRUCTURES) if structures is None else structures.split(",")
    unknown = set(names) - set(STRUCTURES)
    if unknown:
        raise SystemExit(f"--structures: {sorted(unknown)} are unknown; there are {', '.join(STRUCTURES)}")
    if shapes is None:
        return [case for case in CASES if case.structure in names]
    return [BenchmarkCase.from_text(name, shape) for name in (names if structures else ["full"]) for shape in shapes]


def draw_means_and_factors(
    n_features: int, n_components: int, separation: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Means (K, d) and factors (K, d, d) of the covariances."""
    means = rng.normal(size=(n_components, n_features)) * separation
    return means, rng.normal(size=(n_components, n_features, n_features)) / np.sqrt(n_features) + np.eye(n_features)


def make_mixture_rows(case: BenchmarkCase, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) in random order and the true means (K, d), from which every fit starts with unit covariances."""
    rng = np.random.default_rng(seed)
    means, factors = draw_means_and_factors(case.n_features, case.n_components, case.separation, rng)
    sizes = np.full(case.n_components, case.n_rows // case.n_components)
    sizes[: case.n_rows % case.n_components] += 1
    groups = zip(sizes, factors, means, strict=True)
    rows = [rng.normal(size=(size, case.n_features)) @ factor.T + mean for size, factor, mean in groups]
    return np.concatenate(rows)[rng.permutation(case.n_rows)], means


def make_factor_rows(
    n_rows: int,
    n_features: int,
    n_components: int,
    n_factors: int,
    loading_sd: float,
    seed: int = 0,
    separation: float = 3.0,
    n_directions: int = 5,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) of K factor analysers, and the group of each.

    Along each of some random directions the means are evenly spaced, in random order, ``separation`` standard
    deviations within the groups apart.
    """
    rng = np.random.default_rng(seed)
    loadings = loading_sd * rng.normal(size=(n_components, n_features, n_factors))
    noise = rng.uniform(0.5, 1.5, (n_components, n_features))
    axes = np.linalg.qr(rng.normal(size=(n_features, n_directions)))[0]
    within = np.sqrt(np.mean(noise @ axes**2 + ((np.swapaxes(loadings, 1, 2) @ axes) ** 2).sum(axis=1), axis=0))
    places = np.array([rng.permutation(n_components) for _ in range(n_directions)]).T - (n_components - 1) / 2
    means = separation * (places * within) @ axes.T
    labels = rng.integers(n_components, size=n_rows)
    rows = means[labels] + rng.normal(size=(n_rows, n_features)) * np.sqrt(noise[labels])
    for k in range(n_components):
        chosen = labels == k
        rows[chosen] += rng.normal(size=(chosen.sum(), n_factors)) @ loadings[k].T
    return rows, labels


def fill_rows(
    rows: np.ndarray, n_components: int, separation: float = 3.0, seed: int = 0, block_size: int = 5_000
) -> None:
    """Fill rows (n, d) in place, block by block, so that making large data leaves no trace in the peak memory."""
    rng = np.random.default_rng(seed)
    means, factors = draw_means_and_factors(rows.shape[1], n_components, separation, rng)
    for start in range(0, len(rows), block_size):
        part = rows[start : start + block_size]
        labels = rng.integers(n_components, size=len(part))
        part[:] = np.einsum("nij,nj->ni", factors[labels], rng.normal(size=part.shape)) + means[labels]


def save_rows_and_means(folder: Path, rows: np.ndarray, means: np.ndarray) -> None:
    """Write rows and means as plain float64, which every language reads."""
    rows.tofile(folder / "rows.bin")
    means.tofile(folder / "means.bin")


def load_rows_and_means(folder: Path, n_rows: int, n_features: int, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, d) and means (K, d) that `save` wrote."""
    return np.fromfile(folder / "rows.bin").reshape(n_rows, n_features), np.fromfile(folder / "means.bin").reshape(
        n_components, n_features
    )
