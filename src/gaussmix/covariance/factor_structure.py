"""The eight mixtures of factor analysers, named by McNicholas' letters: what is constrained, and how many factors.

A covariance is written ``Lambda_k Lambda_k^T + Psi_k``: loadings (D, q) and a diagonal of noise variances (Ghahramani
& Hinton, "The EM algorithm for mixtures of factor analyzers", 1996). Each letter says whether something is Constrained
or Unconstrained: the loadings, to be the same for all components; the noise, likewise; the noise of one component, to
be the same in every column (McNicholas & Murphy, "Parsimonious Gaussian mixture models", Statistics and Computing 18,
2008). To the four that end in C, whose noise is the same in every column, the scale of single columns matters.
"""

import math
from dataclasses import dataclass

from gaussmix.covariance.structure import MCLUST_NAMES, SKLEARN_TO_MCLUST, UNIVARIATE_TO_MCLUST, Structure
from gaussmix.errors import ParameterError

FACTOR_STRUCTURE_NAMES = ("CCC", "CCU", "CUC", "CUU", "UCC", "UCU", "UUC", "UUU")


@dataclass(frozen=True, slots=True)
class FactorStructure(Structure):
    """Three letters and a number of factors; to whoever asks for volume, shape and orientation, these all vary."""

    letters: str
    n_factors: int

    @classmethod
    def from_letters(cls, letters: str, n_factors: int) -> "FactorStructure":
        return cls("V", "V", "V", letters, n_factors)

    def __str__(self) -> str:
        return self.letters

    @property
    def display_name(self) -> str:
        """The letters and the number of factors: 'UUU, 5 factors'."""
        return f"{self.letters}, {self.n_factors} factor{'' if self.n_factors == 1 else 's'}"

    @property
    def has_shared_loadings(self) -> bool:
        return self.letters[0] == "C"

    @property
    def has_shared_noise_variance(self) -> bool:
        return self.letters[1] == "C"

    @property
    def has_isotropic_noise_variance(self) -> bool:
        """Whether the noise has one variance for all columns."""
        return self.letters[2] == "C"

    @property
    def is_column_scale_equivariant(self) -> bool:
        """Noise of its own in every column takes the unit of the column; isotropic noise cannot."""
        return not self.has_isotropic_noise_variance

    @property
    def description(self) -> str:
        """The structure in words: 'each its own loadings, one noise for all, equal in every column'."""
        loadings = "one matrix of loadings for all" if self.has_shared_loadings else "each its own loadings"
        noise = "one noise for all" if self.has_shared_noise_variance else "each its own noise"
        spread = "equal in every column" if self.has_isotropic_noise_variance else "different in every column"
        return f"{loadings}, {noise}, {spread}"

    def n_covariance_parameters(self, n_components: int, n_features: int) -> int:
        """Free parameters (McNicholas & Murphy 2008, table 1): of the loadings but for a rotation, and of the noise."""
        loadings = n_features * self.n_factors - self.n_factors * (self.n_factors - 1) // 2
        noise = 1 if self.has_isotropic_noise_variance else n_features
        return loadings * (1 if self.has_shared_loadings else n_components) + noise * (
            1 if self.has_shared_noise_variance else n_components
        )

    def min_rows(self, n_features: int) -> int:
        """Rows without which a component has no covariance: one more than there are factors."""
        return self.n_factors + 1

    def check_n_features(self, n_features: int) -> None:
        """ParameterError where factors and noise would have more parameters than a covariance that is free.

        Isotropic noise allows up to D - 1 factors, noise of its own in every column up to the bound of Ledermann ("On
        the rank of the reduced correlational matrix in multiple-factor analysis", Psychometrika 2, 1937),
        ``(D - q)^2 >= D + q``.
        """
        most = n_features - 1 if self.has_isotropic_noise_variance else _ledermann_bound(n_features)
        if self.n_factors > most:
            raise ParameterError.too_many_factors(self.letters, self.n_factors, n_features, most)


def _ledermann_bound(n_features: int) -> int:
    """The largest whole q < D with (D - q)^2 >= D + q."""
    left = math.isqrt(2 * n_features)  # D - q = (sqrt(8 D + 1) - 1) / 2 is a little less than that
    while left > 1 and (left - 1) ** 2 >= 2 * n_features - (left - 1):
        left -= 1
    while left**2 < 2 * n_features - left:
        left += 1
    return n_features - left


def parse_structure(name: object, n_factors: int | None, parameter_name: str = "structure") -> Structure:
    """The structure of a name, with factors where the name asks for them.

    Raises
    ------
    ParameterError
        If the name is not offered, or ``n_factors`` is missing where it is needed.
    """
    letters = name.upper() if isinstance(name, str) else ""
    if letters in FACTOR_STRUCTURE_NAMES:
        if n_factors is None:
            raise ParameterError.missing_n_factors(letters, parameter_name)
        return FactorStructure.from_letters(letters, int(n_factors))
    if isinstance(name, str) and (
        name in SKLEARN_TO_MCLUST or UNIVARIATE_TO_MCLUST.get(letters, letters) in MCLUST_NAMES
    ):
        return Structure.from_name(name, parameter_name)
    raise ParameterError.invalid_choice(
        parameter_name, name, [*SKLEARN_TO_MCLUST, *MCLUST_NAMES, *FACTOR_STRUCTURE_NAMES]
    )
