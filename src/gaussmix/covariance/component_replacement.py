"""Covariances of single components held fixed: where that is possible, and how they are put back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SphericalCovariance,
    replace_full_components,
)
from gaussmix.types import BoolK

INDEPENDENT_STRUCTURES = ("VVV", "VVI", "VII")
"""Structures in which the covariance of one component says nothing about that of another."""


def replace_components(
    covariance: AbstractCovariance, is_replaced: BoolK, replacements: AbstractCovariance
) -> AbstractCovariance:
    """Covariances of a structure in ``SEPARATE`` with the chosen components' replaced by others, in their order."""
    return _REPLACE_FUNCTIONS[type(covariance)](covariance, is_replaced, replacements)


def _replace_variances(covariance: Any, is_replaced: BoolK, replacements: Any) -> AbstractCovariance:
    variances, floored = covariance.variances.copy(), covariance.floored.copy()
    variances[is_replaced], floored[is_replaced] = replacements.variances, replacements.floored
    held: AbstractCovariance = replace(covariance, variances=variances, floored=floored)
    return held


_REPLACE_FUNCTIONS: dict[type[AbstractCovariance], Callable[[Any, BoolK, Any], AbstractCovariance]] = {
    FullCovariance: replace_full_components,
    DiagonalCovariance: _replace_variances,
    SphericalCovariance: _replace_variances,
}
