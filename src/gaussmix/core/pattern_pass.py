"""What a compiled pass over rows that lack cells takes and returns."""

from dataclasses import dataclass

from gaussmix.core.missing_patterns import MissingPatterns
from gaussmix.types import KD, ND, NK, Array, K, N


@dataclass(frozen=True, eq=False)
class PatternedRows:
    """Rows (n, D) in the frame and their patterns of missing cells; whoever packs them once knows them by identity.

    Cells that are missing may hold any number. ``log_prior`` (n, K) is that of the components, None without one.
    """

    rows: ND
    weights: N | None
    log_prior: NK | None
    patterns: MissingPatterns


@dataclass(frozen=True)
class CenteredSums:
    """Sums over rows about the centers of a model, with expected values for missing cells; they add.

    ``first`` (K, D) are sums of deviations, and ``second`` those of their products, in the shape of a moment kind.
    """

    mass: K
    first: KD
    second: Array
    log_likelihood: float
    entropy: float
    total_log_max_responsibility: float
    n_rows: int
    n_distances: int

    def __add__(self, other: "CenteredSums") -> "CenteredSums":
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return CenteredSums(*(a + b for a, b in pairs))
