"""The eight mixtures of factor analysers, by the names of McNicholas: what is constrained, and how many factors.

A covariance is ``Lambda_k Lambda_k^T + Psi_k``: loadings (D, q) and a diagonal matrix of noise variances (Ghahramani
& Hinton, "The EM algorithm for mixtures of factor analyzers", 1996). Each letter says whether something is
Constrained or Unconstrained. First letter: the loadings are the same for all components. Second letter: the noise
variances are. Third letter: the noise variance of a component is the same in every column (McNicholas & Murphy,
"Parsimonious Gaussian mixture models", Statistics and Computing 18, 2008).
"""

import math
from dataclasses import dataclass

from gaussmix.covariance.row_requirement import RowRequirement, factor_row_requirement
from gaussmix.covariance.structure import MCLUST_NAMES, SKLEARN_TO_MCLUST, UNIVARIATE_TO_MCLUST, Structure
from gaussmix.errors import ParameterError, StructureError
from gaussmix.errors.text import format_count

FACTOR_STRUCTURE_NAMES = ("CCC", "CCU", "CUC", "CUU", "UCC", "UCU", "UUC", "UUU")


@dataclass(frozen=True, slots=True)
class FactorStructure(Structure):
    """Three letters of McNicholas and a number of factors."""

    letters: str
    n_factors: int

    def __str__(self) -> str:
        return self.letters

    @property
    def name_with_alias_or_n_factors(self) -> str:
        """The letters and the number of factors: 'UUU, 5 factors'."""
        return f"{self.letters}, {format_count(self.n_factors, 'factor')}"

    @property
    def has_factors(self) -> bool:
        """Always True: covariances are loadings of factors and noise variances."""
        return True

    @property
    def has_shared_loadings(self) -> bool:
        """Whether all components have the same loadings."""
        return self.letters[0] == "C"

    @property
    def has_shared_noise_variance(self) -> bool:
        """Whether all components have the same noise variances."""
        return self.letters[1] == "C"

    @property
    def has_isotropic_noise_variance(self) -> bool:
        """Whether the noise variance of a component is the same in every column."""
        return self.letters[2] == "C"

    @property
    def is_axis_aligned(self) -> bool:
        """Always False: loadings have any direction."""
        return False

    @property
    def is_spherical(self) -> bool:
        """Always False: loadings are not spherical."""
        return False

    @property
    def is_pooled(self) -> bool:
        """Whether components share both loadings and noise variances."""
        return self.has_shared_loadings and self.has_shared_noise_variance

    @property
    def is_tied(self) -> bool:
        """Always False: scikit-learn has no factor structure."""
        return False

    @property
    def has_independent_components(self) -> bool:
        """Always False: an M-step of loadings and noise variances takes several iterations."""
        return False

    @property
    def is_column_scale_equivariant(self) -> bool:
        """Whether every column has a noise variance of its own, which takes the unit of the column."""
        return not self.has_isotropic_noise_variance

    @property
    def description(self) -> str:
        """The structure in words: 'each its own loadings, one noise for all, equal in every column'."""
        loadings = "one matrix of loadings for all" if self.has_shared_loadings else "each its own loadings"
        noise = "one noise for all" if self.has_shared_noise_variance else "each its own noise"
        columns = "equal in every column" if self.has_isotropic_noise_variance else "different in every column"
        return f"{loadings}, {noise}, {columns}"

    def n_covariance_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free parameters of loadings (up to a rotation) and noise variances.

        The numbers are those of McNicholas & Murphy 2008, table 1.
        """
        loadings = n_features * self.n_factors - self.n_factors * (self.n_factors - 1) // 2
        noise = 1 if self.has_isotropic_noise_variance else n_features
        n_loadings_groups = 1 if self.has_shared_loadings else n_components
        n_noise_groups = 1 if self.has_shared_noise_variance else n_components
        return loadings * n_loadings_groups + noise * n_noise_groups

    def row_requirement(self, n_components: int, n_features: int) -> RowRequirement:
        """Return the rows that each component needs, and all together: up to q + 2 for noise variances of its own."""
        return factor_row_requirement(
            self.has_shared_loadings, self.has_shared_noise_variance, self.n_factors, n_components
        )

    def check_n_features(self, n_features: int) -> None:
        """Raise ParameterError if the factors have more parameters than an unconstrained covariance.

        Isotropic noise variances allow up to D - 1 factors. One noise variance per column allows factors up to the
        bound of Ledermann, ``(D - q)^2 >= D + q`` ("On the rank of the reduced correlational matrix in
        multiple-factor analysis", Psychometrika 2, 1937).
        """
        max_factors = n_features - 1 if self.has_isotropic_noise_variance else _ledermann_bound(n_features)
        if self.n_factors > max_factors:
            raise StructureError.too_many_factors(self.letters, self.n_factors, n_features, max_factors)


def _ledermann_bound(n_features: int) -> int:
    """Return the largest integer q < D with (D - q)^2 >= D + q."""
    difference = math.isqrt(2 * n_features)  # D - q = (sqrt(8 D + 1) - 1) / 2 is a little smaller
    while difference > 1 and (difference - 1) ** 2 >= 2 * n_features - (difference - 1):
        difference -= 1
    while difference**2 < 2 * n_features - difference:
        difference += 1
    return n_features - difference


def parse_structure(name: object, n_factors: int | None, parameter_name: str = "structure") -> Structure:
    """Return the structure of a name, with ``n_factors`` factors if the name is that of a factor structure.

    Raises
    ------
    ParameterError
        If there is no such structure, or if ``n_factors`` is missing for a factor structure.
    """
    letters = name.upper() if isinstance(name, str) else ""
    if letters in FACTOR_STRUCTURE_NAMES:
        if n_factors is None:
            raise StructureError.missing_n_factors(letters, parameter_name)
        return FactorStructure(letters, int(n_factors))
    is_mclust_name = UNIVARIATE_TO_MCLUST.get(letters, letters) in MCLUST_NAMES
    if isinstance(name, str) and (name.lower() in SKLEARN_TO_MCLUST or is_mclust_name):
        return Structure.from_name(name, parameter_name)
    allowed = [*SKLEARN_TO_MCLUST, *MCLUST_NAMES, *FACTOR_STRUCTURE_NAMES]
    raise ParameterError.invalid_choice(parameter_name, name, allowed)
