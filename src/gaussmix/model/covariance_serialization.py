"""The tensors of covariances in model files: names and shapes for each class of covariances."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.covariance import AbstractCovariance, FactorStructure, Structure, representation_class
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SharedCovariance,
    SphericalCovariance,
)
from gaussmix.errors import DamagedModelError
from gaussmix.types import AnyArray

_POSITIVE_TENSORS = {"variances", "noise"}
# Attributes of covariances whose tensors have another name. Names in files never change.
_FIELDS = {
    "root_matrices": "precision_root_matrices",
    "root_matrix": "precision_root_matrix",
    "log_determinants_": "stored_log_determinants",
    "noise": "noise_variance",
}


def pack_covariance(covariance: AbstractCovariance) -> dict[str, AnyArray]:
    """Return the tensors that describe a covariance, by their names in a file."""
    return _LAYOUTS[type(covariance)].to_tensors(covariance)


def unpack_covariance(
    structure: Structure, tensors: dict[str, AnyArray], n_components: int, n_features: int
) -> AbstractCovariance:
    """Return the covariance that the tensors of a file contain; raise DamagedModelError if a shape is wrong."""
    layout = _LAYOUTS[representation_class(structure)]
    return layout.covariance_from_tensors(structure, tensors, n_components, n_features)


def require_shape(tensor: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    """Return the tensor unchanged if it has the shape, else raise a DamagedModelError."""
    if tensor.shape != shape:
        raise DamagedModelError.wrong_shape(tensor.shape, shape)
    return tensor


def _attribute_of_tensor(tensor_name: str) -> str:
    """Return the name of the attribute of a covariance that the tensor of this name contains."""
    return _FIELDS.get(tensor_name, tensor_name)


@dataclass(frozen=True)
class _CovarianceLayout:
    """The tensors of a covariance class: names and shapes, where K, D and Q are components, columns and factors."""

    covariance_class: type[AbstractCovariance]
    tensor_shapes: dict[str, str]

    def to_tensors(self, covariance: AbstractCovariance) -> dict[str, AnyArray]:
        """Return the tensors that describe a covariance, by their names in a file."""
        return {
            "covariance." + name: np.asarray(getattr(covariance, _attribute_of_tensor(name)))
            for name in self.tensor_shapes
        }

    def covariance_from_tensors(
        self, structure: Structure, tensors: dict[str, AnyArray], n_components: int, n_features: int
    ) -> AbstractCovariance:
        """Return the covariance that the tensors of a file contain; raise DamagedModelError if a shape is wrong."""
        sizes = {
            "K": n_components,
            "D": n_features,
            "Q": structure.n_factors if isinstance(structure, FactorStructure) else 0,
        }
        is_floored = require_shape(tensors["floored"], (n_components,)).astype(bool)
        values: dict[str, Any] = {}
        for name, letters in self.tensor_shapes.items():
            tensor = require_shape(tensors["covariance." + name], tuple(sizes[letter] for letter in letters))
            if name in _POSITIVE_TENSORS and not (tensor > 0).all():
                raise DamagedModelError.variance_not_positive()
            values[_attribute_of_tensor(name)] = tensor if letters else tensor.item()
        if self.covariance_class is SphericalCovariance:
            values["n_columns"] = n_features
        return self.covariance_class(structure, is_floored, **values)


_LAYOUTS: dict[type[AbstractCovariance], _CovarianceLayout] = {
    FullCovariance: _CovarianceLayout(
        FullCovariance, {"factors": "KDD", "root_matrices": "KDD", "log_determinants_": "K"}
    ),
    SharedCovariance: _CovarianceLayout(SharedCovariance, {"factor": "DD", "root_matrix": "DD", "log_determinant": ""}),
    DiagonalCovariance: _CovarianceLayout(DiagonalCovariance, {"variances": "KD"}),
    SphericalCovariance: _CovarianceLayout(SphericalCovariance, {"variances": "K"}),
    LowRankCovariance: _CovarianceLayout(LowRankCovariance, {"loadings": "KDQ", "noise": "KD"}),
}
