"""The mclust letters: volume, shape and orientation of the covariances, parsed once.

A covariance is written ``lambda_k D_k A_k D_k^T``: volume, orientation, shape (Banfield & Raftery,
Biometrics 49, 1993; Celeux & Govaert, Pattern Recognition 28, 1995). Each letter says whether that
part is Equal across components, Varies, or is the Identity. So ``VVV`` is scikit-learn's ``full``,
``EEE`` its ``tied``, ``VVI`` its ``diag`` and ``VII`` its ``spherical``.

The scale of single columns, such as another unit for one of them, matters to ``EII``, ``VII``, ``EEV``,
``VEV``, ``EVE`` and ``VVE``: it changes what they can describe, and so the groups they find. The other
eight find the same groups in any units. One scale for all columns matters to none.
"""

from dataclasses import dataclass

from gaussmix.errors import ParameterError

UNIVARIATE_TO_MCLUST = {"E": "EII", "V": "VII"}
"""mclust's names where there is one column: variances equal, or each its own."""

SKLEARN_TO_MCLUST = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}
MCLUST_NAMES = ("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")


@dataclass(frozen=True, slots=True)
class Structure:
    """Three letters: how volume, shape and orientation behave across components."""

    volume: str
    shape: str
    orientation: str

    @classmethod
    def from_name(cls, name: object, parameter_name: str = "structure") -> "Structure":
        """Read 'VVV' and its kin, scikit-learn's four names, or mclust's 'E' and 'V' for one column.

        Raises
        ------
        ParameterError
            If the name is not offered; the message names the parameter and lists what is.
        """
        letters = SKLEARN_TO_MCLUST.get(name, name.upper()) if isinstance(name, str) else ""
        letters = UNIVARIATE_TO_MCLUST.get(letters, letters)
        if letters not in MCLUST_NAMES:
            raise ParameterError.invalid_choice(parameter_name, name, [*SKLEARN_TO_MCLUST, *MCLUST_NAMES])
        return cls(*letters)

    def __str__(self) -> str:
        return self.volume + self.shape + self.orientation

    @property
    def display_name(self) -> str:
        """The letters, with scikit-learn's name where there is one: 'VVV (full)'."""
        for name, letters in SKLEARN_TO_MCLUST.items():
            if letters == str(self):
                return f"{letters} ({name})"
        return str(self)

    @property
    def is_column_scale_equivariant(self) -> bool:
        """Whether rescaling single columns maps the structure onto itself.

        It does where volumes and shapes can absorb the change: spherical shapes cannot, nor can
        shapes or orientations shared between components that do not share the other.
        """
        return str(self) not in {"EII", "VII", "EEV", "VEV", "EVE", "VVE"}

    def n_covariance_parameters(self, n_components: int, n_features: int) -> int:
        """Free parameters of the covariances (mclust's nVarParams)."""
        counts = {"I": 0, "E": 1, "V": n_components}
        pairs = n_features * (n_features - 1) // 2
        return counts[self.volume] + counts[self.shape] * (n_features - 1) + counts[self.orientation] * pairs

    def n_mixture_parameters(self, n_components: int, n_features: int) -> int:
        """Free parameters of a whole mixture: K - 1 weights, K D means and the covariances (mclust's nMclustParams)."""
        return n_components - 1 + n_components * n_features + self.n_covariance_parameters(n_components, n_features)

    def min_rows(self, n_features: int) -> int:
        """Rows without which a component has no covariance of its own: one more than columns."""
        return n_features + 1

    def check_n_features(self, n_features: int) -> None:
        """ParameterError where so many columns cannot have the structure; any number can have these."""

    @property
    def description(self) -> str:
        """The structure in words: 'one size and shape for all, each its own orientation'."""
        parts = {"size": self.volume, "shape": self.shape, "orientation": self.orientation}
        shared = [name for name, letter in parts.items() if letter == "E"]
        own = [name for name, letter in parts.items() if letter == "V"]
        phrases = [
            "round" if self.shape == "I" else "",
            f"one {_join_with_and(shared)} for all" if shared else "",
            f"each its own {_join_with_and(own)}" if own else "",
            "axes along the columns" if self.orientation == "I" and self.shape != "I" else "",
        ]
        return ", ".join(phrase for phrase in phrases if phrase)


def _join_with_and(names: list[str]) -> str:
    """'size', 'size and shape', 'size, shape and orientation'."""
    return " and ".join(", ".join(names).rsplit(", ", 1))
