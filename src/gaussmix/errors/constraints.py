"""Errors about parameters that a fit must keep fixed."""

from collections.abc import Sequence

from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import join_with_commas


class ConstraintError(ParameterError):
    """Constraints that no mixture can satisfy, or that the structure does not support."""

    @classmethod
    def not_constraints(cls, value: object) -> "ConstraintError":
        """Return the error that the constraints are not a Constraints object."""
        return cls(f"constraints must be None or gaussmix.Constraints(...), but is {value!r}")

    @classmethod
    def equal_weights_not_bool(cls, value: object) -> "ConstraintError":
        """Return the error that equal_weights is not a bool."""
        return cls(f"constraints: equal_weights must be True or False, but is {value!r}")

    @classmethod
    def redundant_weights(cls) -> "ConstraintError":
        """Return the error that both equal_weights and weights are given."""
        return cls("constraints: equal_weights=True fixes all weights already; leave out weights or equal_weights")

    @classmethod
    def not_numeric(cls, name: str, cause: Exception) -> "ConstraintError":
        """Return the error that an array of constraints is not numeric."""
        return cls(f"constraints: {name} must be numbers, with NaN for free values: {cause}")

    @classmethod
    def wrong_shape(cls, name: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> "ConstraintError":
        """Return the error that an array of constraints has a wrong shape."""
        return cls(f"constraints: {name} must have the shape {expected}, with NaN for free values, but has {actual}")

    @classmethod
    def infinite_values(cls, name: str) -> "ConstraintError":
        """Return the error that an array of constraints contains infinity."""
        return cls(f"constraints: {name} contain infinity; every number must be finite, or NaN if it is free")

    @classmethod
    def weights_out_of_range(cls, weights: object) -> "ConstraintError":
        """Return the error that a fixed weight is not above 0 and at most 1."""
        return cls(f"constraints: weights must be above 0 and at most 1, or NaN for free values, but are {weights}")

    @classmethod
    def weights_not_normalized(cls, total: float) -> "ConstraintError":
        """Return the error that all weights are fixed and do not add up to 1."""
        return cls(f"constraints: weights must add up to 1 if all are fixed, but they add up to {total:g}")

    @classmethod
    def no_weight_left(cls, total: float) -> "ConstraintError":
        """Return the error that the fixed weights leave no weight for the free components or the noise."""
        return cls(
            f"constraints: the fixed weights add up to {total:g}, so no weight is left for the free components or "
            "the noise; lower them until they add up to less than 1"
        )

    @classmethod
    def partly_nan(cls, parameter: str, component: int) -> "ConstraintError":
        """Return the error that a mean or covariance is fixed in part."""
        return cls(
            f"constraints: the {parameter} of component {component} is NaN in part; give all of its numbers to fix "
            "it, or only NaN to leave it free"
        )

    @classmethod
    def covariances_not_per_component(cls, n_components: int) -> "ConstraintError":
        """Return the error that the covariances are not a list with one entry per component."""
        return cls(
            f"constraints: covariances must be a list of {n_components}, one for each component, "
            "with None or NaN for free covariances"
        )

    @classmethod
    def shared_covariances(
        cls, structure: str, n_fixed: int, n_components: int, allowed: Sequence[str]
    ) -> "ConstraintError":
        """Return the error that some covariances of a structure that shares them are fixed, and others are not."""
        return cls(
            f"constraints: structure {structure} ties its covariances together, so fix all {n_components} or none, not "
            f"{n_fixed}; single covariances can be fixed with {join_with_commas(list(allowed))}"
        )

    @classmethod
    def asymmetric_fixed_covariance(cls, component: int) -> "ConstraintError":
        """Return the error that a fixed covariance is not symmetric."""
        return cls(f"constraints: the covariance of component {component} must be symmetric; check its entries")

    @classmethod
    def indefinite_covariance(cls, component: int) -> "ConstraintError":
        """Return the error that a fixed covariance is not positive definite."""
        return cls(
            f"constraints: the covariance of component {component} must be positive definite; check its eigenvalues"
        )

    @classmethod
    def means_with_prior(cls) -> "ConstraintError":
        """Return the error that means are fixed although there is a prior on them."""
        return cls(
            "constraints: means cannot be fixed together with a prior on the means; leave out the prior or the means"
        )
