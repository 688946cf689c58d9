"""Covariances of single components held fixed: where that is possible, and how they are put back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.forms import DiagonalCovariance, FullCovariance, SphericalCovariance, put
from gaussmix.types import BoolK

SEPARATE = ("VVV", "VVI", "VII")
"""Structures in which the covariance of one component says nothing about that of another."""


def replaced(covariance: AbstractCovariance, chosen: BoolK, others: AbstractCovariance) -> AbstractCovariance:
    """Covariances of a structure in ``SEPARATE`` with the chosen components' replaced by others, in their order."""
    return _PUT[type(covariance)](covariance, chosen, others)


def _put_variances(covariance: Any, chosen: BoolK, others: Any) -> AbstractCovariance:
    variances, floored = covariance.variances.copy(), covariance.floored.copy()
    variances[chosen], floored[chosen] = others.variances, others.floored
    held: AbstractCovariance = replace(covariance, variances=variances, floored=floored)
    return held


_PUT: dict[type[AbstractCovariance], Callable[[Any, BoolK, Any], AbstractCovariance]] = {
    FullCovariance: put,
    DiagonalCovariance: _put_variances,
    SphericalCovariance: _put_variances,
}
