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
    """Return covariances (of ``INDEPENDENT_STRUCTURES``) in which some components are replaced, in their order."""
    return _REPLACE_FUNCTIONS[type(covariance)](covariance, is_replaced, replacements)


def _replace_variances(covariance: Any, is_replaced: BoolK, replacements: Any) -> AbstractCovariance:
    variances, is_floored = covariance.variances.copy(), covariance.is_floored.copy()
    variances[is_replaced], is_floored[is_replaced] = replacements.variances, replacements.is_floored
    replaced: AbstractCovariance = replace(covariance, variances=variances, is_floored=is_floored)
    return replaced


_REPLACE_FUNCTIONS: dict[type[AbstractCovariance], Callable[[Any, BoolK, Any], AbstractCovariance]] = {
    FullCovariance: replace_full_components,
    DiagonalCovariance: _replace_variances,
    SphericalCovariance: _replace_variances,
}
