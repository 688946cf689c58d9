"""Covariance structures: what the covariances of the components share, by mclust's letters or by factors.

mclust writes a covariance as ``lambda_k D_k A_k D_k^T``: volume, orientation and shape (Banfield & Raftery,
Biometrics 49, 1993; Celeux & Govaert, Pattern Recognition 28, 1995). Each of the three letters says whether
that part is Equal across components, Varies, or is the Identity. ``VVV`` is scikit-learn's ``full``, ``EEE``
its ``tied``, ``VVI`` its ``diag`` and ``VII`` its ``spherical``.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from gaussmix.covariance.row_requirement import RowRequirement, mclust_row_requirement
from gaussmix.errors import ParameterError
from gaussmix.errors.text import join_with_and

# mclust's names for data of one column: equal variances, or one variance per component.
UNIVARIATE_TO_MCLUST = {"E": "EII", "V": "VII"}
SKLEARN_TO_MCLUST = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
MCLUST_NAMES = ("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")

# Rescaling one column maps these structures onto others: spherical shapes cannot absorb the change, nor can shapes
# or orientations that components share without sharing the other.
_SCALE_DEPENDENT_NAMES = frozenset({"EII", "VII", "EEV", "VEV", "EVE", "VVE"})


class Structure(ABC):
    """What a covariance matrix may look like and what the components share; `str` returns its name."""

    __slots__ = ()

    @staticmethod
    def from_name(name: object, parameter_name: str = "structure") -> "Structure":
        """Return the structure of one of mclust's names, of scikit-learn's four, or of 'E' or 'V' for one column.

        Parameters
        ----------
        name : object
            The name, in any case.
        parameter_name : str, default="structure"
            The parameter that an error names.

        Raises
        ------
        ParameterError
            If there is no such structure; the message lists those there are.
        """
        letters = SKLEARN_TO_MCLUST.get(name.lower(), name.upper()) if isinstance(name, str) else ""
        letters = UNIVARIATE_TO_MCLUST.get(letters, letters)
        if letters not in MCLUST_NAMES:
            raise ParameterError.invalid_choice(parameter_name, name, [*SKLEARN_TO_MCLUST, *MCLUST_NAMES])
        return MclustStructure(*letters)

    @property
    @abstractmethod
    def name_with_alias_or_n_factors(self) -> str:
        """The name with scikit-learn's alias or the number of factors: 'VVV (full)', 'UUU, 5 factors'."""

    @property
    @abstractmethod
    def description(self) -> str:
        """The structure in words: 'one size and shape for all, each its own orientation'."""

    @property
    @abstractmethod
    def is_axis_aligned(self) -> bool:
        """Whether every covariance matrix is diagonal."""

    @property
    @abstractmethod
    def is_spherical(self) -> bool:
        """Whether every covariance matrix is a multiple of the identity."""

    @property
    @abstractmethod
    def is_pooled(self) -> bool:
        """Whether all components have the same covariance matrix."""

    @property
    @abstractmethod
    def is_tied(self) -> bool:
        """Whether the structure is scikit-learn's 'tied': one matrix without further constraints."""

    @property
    @abstractmethod
    def has_independent_components(self) -> bool:
        """Whether the covariance of each component is estimated from its own scatter alone, in closed form."""

    @property
    @abstractmethod
    def has_factors(self) -> bool:
        """Whether covariances are loadings of factors and noise variances."""

    @property
    @abstractmethod
    def is_column_scale_equivariant(self) -> bool:
        """Whether covariances still have the structure after single columns are rescaled."""

    @abstractmethod
    def n_covariance_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free parameters of the covariances."""

    @abstractmethod
    def row_requirement(self, n_components: int, n_features: int) -> RowRequirement:
        """Return the rows that each component needs, and all together, for a regular estimate of the covariances."""

    @abstractmethod
    def check_n_features(self, n_features: int) -> None:
        """Raise ParameterError if data of ``n_features`` columns cannot have this structure."""

    def n_mixture_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free parameters of a mixture: K - 1 weights, K D means and the covariances."""
        return n_components - 1 + n_components * n_features + self.n_covariance_parameters(n_components, n_features)


@dataclass(frozen=True, slots=True)
class MclustStructure(Structure):
    """Three letters of mclust: how volume, shape and orientation behave across components."""

    volume: str
    shape: str
    orientation: str

    def __str__(self) -> str:
        return self.volume + self.shape + self.orientation

    @property
    def name_with_alias_or_n_factors(self) -> str:
        """The letters, with scikit-learn's name if it has one: 'VVV (full)'."""
        for name, letters in SKLEARN_TO_MCLUST.items():
            if letters == str(self):
                return f"{letters} ({name})"
        return str(self)

    @property
    def description(self) -> str:
        """The structure in words: 'one size and shape for all, each its own orientation'."""
        parts = {"size": self.volume, "shape": self.shape, "orientation": self.orientation}
        shared = [name for name, letter in parts.items() if letter == "E"]
        own = [name for name, letter in parts.items() if letter == "V"]
        phrases = [
            "round" if self.is_spherical else "",
            f"one {join_with_and(shared)} for all" if shared else "",
            f"each its own {join_with_and(own)}" if own else "",
            "axes along the columns" if self.is_axis_aligned and not self.is_spherical else "",
        ]
        return ", ".join(phrase for phrase in phrases if phrase)

    @property
    def is_axis_aligned(self) -> bool:
        """Whether the orientation is the identity, so that every covariance matrix is diagonal."""
        return self.orientation == "I"

    @property
    def is_spherical(self) -> bool:
        """Whether the shape is the identity, so that every covariance is a multiple of the identity matrix."""
        return self.shape == "I"

    @property
    def is_pooled(self) -> bool:
        """Whether no letter is V, so that all components have the same covariance matrix."""
        return "V" not in str(self)

    @property
    def is_tied(self) -> bool:
        """Whether volume, shape and orientation are all equal across components."""
        return str(self) == "EEE"

    @property
    def has_only_common_axes(self) -> bool:
        """Whether components share their axes and not their shape, so that the axes must be searched."""
        return self.orientation == "E" and self.shape == "V"

    @property
    def has_independent_components(self) -> bool:
        """Whether no letter is E, so that each covariance depends on the scatter of its own component alone."""
        return "E" not in str(self)

    @property
    def has_factors(self) -> bool:
        """Always False: no structure of mclust has factors."""
        return False

    @property
    def is_column_scale_equivariant(self) -> bool:
        """Whether covariances still have the structure after single columns are rescaled."""
        return str(self) not in _SCALE_DEPENDENT_NAMES

    def n_covariance_parameters(self, n_components: int, n_features: int) -> int:
        """Return the number of free parameters of the covariances (mclust's nVarParams)."""
        counts = {"I": 0, "E": 1, "V": n_components}
        n_axis_pairs = n_features * (n_features - 1) // 2
        return counts[self.volume] + counts[self.shape] * (n_features - 1) + counts[self.orientation] * n_axis_pairs

    def row_requirement(self, n_components: int, n_features: int) -> RowRequirement:
        """Return the rows that each component needs, and all together: from 1 row for EII to D + 1 for VVV."""
        return mclust_row_requirement(self.volume, self.shape, self.orientation, n_components, n_features)

    def check_n_features(self, n_features: int) -> None:
        """Do nothing: data of any number of columns can have this structure."""


# Structures in which single components can have a fixed covariance.
INDEPENDENT_STRUCTURE_NAMES = tuple(name for name in MCLUST_NAMES if MclustStructure(*name).has_independent_components)


def distinct_structure_names(n_features: int) -> tuple[str, ...]:
    """Return mclust's names of the structures that differ for data of ``n_features`` columns."""
    return tuple(UNIVARIATE_TO_MCLUST.values()) if n_features == 1 else MCLUST_NAMES
