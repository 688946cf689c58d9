"""Simulated data: K Gaussians of equal weight with random means and covariances."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

STRUCTURES = ("full", "tied", "diag", "spherical")


@dataclass(frozen=True)
class BenchmarkCase:
    """Structure of the covariances, size of the data, number of components and standard deviation of the means."""

    structure: str
    n_rows: int
    n_features: int
    n_components: int
    separation: float = 3.0

    @classmethod
    def from_text(cls, structure: str, text: str) -> "BenchmarkCase":
        """Parse 'n,d,K' or 'n,d,K,separation'."""
        n_rows, n_features, n_components, *separation = text.split(",")
        sizes = int(n_rows), int(n_features), int(n_components)
        return cls(structure, *sizes, *(float(value) for value in separation))

    @property
    def size_text(self) -> str:
        """Size of the data as text: '200 000 x 8, K = 16'."""
        separation = "" if self.separation == 3.0 else f", separation {self.separation:g}"
        return f"{self.n_rows:_} x {self.n_features}, K = {self.n_components}{separation}".replace("_", " ")

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
    """Return the cases with these structures, or all pairs of structures and shapes if shapes are given.

    ``structures`` are separated by commas; None means all.
    """
    names = list(STRUCTURES) if structures is None else structures.split(",")
    unknown = set(names) - set(STRUCTURES)
    if unknown:
        raise SystemExit(f"--structures: {sorted(unknown)} unknown; allowed are {', '.join(STRUCTURES)}")
    if shapes is None:
        return [case for case in CASES if case.structure in names]
    return [BenchmarkCase.from_text(name, shape) for name in (names if structures else ["full"]) for shape in shapes]


def draw_means_and_factors(
    n_features: int, n_components: int, separation: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw means (K, d) and factors (K, d, d) of covariances."""
    means = rng.normal(size=(n_components, n_features)) * separation
    return means, rng.normal(size=(n_components, n_features, n_features)) / np.sqrt(n_features) + np.eye(n_features)


def make_mixture_rows(case: BenchmarkCase, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows (n, d) in random order; return them with the true means (K, d)."""
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
    """Draw rows (n, d) of a mixture of factor analysers; return them with their components (n,).

    Along each of ``n_directions`` random directions the means are equally spaced in random order. Their distance is
    ``separation`` times the standard deviation within the components.
    """
    rng = np.random.default_rng(seed)
    loadings = loading_sd * rng.normal(size=(n_components, n_features, n_factors))
    noise_variances = rng.uniform(0.5, 1.5, (n_components, n_features))
    axes = np.linalg.qr(rng.normal(size=(n_features, n_directions)))[0]
    factor_variances = ((np.swapaxes(loadings, 1, 2) @ axes) ** 2).sum(axis=1)
    within = np.sqrt(np.mean(noise_variances @ axes**2 + factor_variances, axis=0))
    positions = np.array([rng.permutation(n_components) for _ in range(n_directions)]).T - (n_components - 1) / 2
    means = separation * (positions * within) @ axes.T
    labels = rng.integers(n_components, size=n_rows)
    rows = means[labels] + rng.normal(size=(n_rows, n_features)) * np.sqrt(noise_variances[labels])
    for k in range(n_components):
        is_member = labels == k
        rows[is_member] += rng.normal(size=(is_member.sum(), n_factors)) @ loadings[k].T
    return rows, labels


def fill_rows(
    rows: np.ndarray, n_components: int, separation: float = 3.0, seed: int = 0, block_size: int = 5_000
) -> None:
    """Fill rows (n, d) in place block by block, without large temporary arrays."""
    rng = np.random.default_rng(seed)
    means, factors = draw_means_and_factors(rows.shape[1], n_components, separation, rng)
    for start in range(0, len(rows), block_size):
        part = rows[start : start + block_size]
        labels = rng.integers(n_components, size=len(part))
        part[:] = np.einsum("nij,nj->ni", factors[labels], rng.normal(size=part.shape)) + means[labels]


def save_rows_and_means(folder: Path, rows: np.ndarray, means: np.ndarray) -> None:
    """Write rows and means to binary files of float64, which every language can read."""
    rows.tofile(folder / "rows.bin")
    means.tofile(folder / "means.bin")


def load_rows_and_means(folder: Path, n_rows: int, n_features: int, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Read the rows (n, d) and means (K, d) that `save_rows_and_means` wrote."""
    return np.fromfile(folder / "rows.bin").reshape(n_rows, n_features), np.fromfile(folder / "means.bin").reshape(
        n_components, n_features
    )
