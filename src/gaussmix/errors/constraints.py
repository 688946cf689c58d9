"""Errors about what a fit is to hold fixed."""

from collections.abc import Sequence

from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import join_with_commas


class ConstraintError(ParameterError):
    """Constraints that no mixture can obey, or that the structure does not offer."""

    @classmethod
    def wrong_type(cls, value: object) -> "ConstraintError":
        return cls(f"constraints must be None or gaussmix.Constraints(...), but is {value!r}")

    @classmethod
    def equal_weights_not_bool(cls, value: object) -> "ConstraintError":
        return cls(f"constraints: equal_weights must be True or False, but is {value!r}")

    @classmethod
    def redundant_weights(cls) -> "ConstraintError":
        return cls("constraints: equal_weights=True fixes all weights already; leave out weights, or equal_weights")

    @classmethod
    def not_numeric(cls, name: str, cause: Exception) -> "ConstraintError":
        return cls(f"constraints: {name} must be numbers, NaN where free: {cause}")

    @classmethod
    def wrong_shape(cls, name: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> "ConstraintError":
        return cls(f"constraints: {name} must have the shape {expected}, NaN where free, but has {actual}")

    @classmethod
    def infinite_values(cls, name: str) -> "ConstraintError":
        return cls(f"constraints: {name} hold infinity; every number must be finite, or NaN where it is free")

    @classmethod
    def weights_out_of_range(cls, weights: object) -> "ConstraintError":
        return cls(f"constraints: weights must lie above 0 and up to 1, NaN where free, but are {weights}")

    @classmethod
    def weights_not_normalized(cls, total: float) -> "ConstraintError":
        return cls(f"constraints: weights that are all held must add up to 1, but add up to {total:g}")

    @classmethod
    def no_weight_left(cls, total: float) -> "ConstraintError":
        return cls(
            f"constraints: held weights add up to {total:g}, which leaves nothing for the free ones or for noise; "
            "lower them until they add up to less than 1"
        )

    @classmethod
    def partly_nan(cls, parameter: str, component: int) -> "ConstraintError":
        return cls(
            f"constraints: the {parameter} of component {component} is NaN in part; give all of its numbers to hold "
            "it, or NaN throughout to leave it free"
        )

    @classmethod
    def covariances_not_per_component(cls, n_components: int) -> "ConstraintError":
        return cls(
            f"constraints: covariances must be a list of {n_components}, one for each component, "
            "with None or NaN where it is free"
        )

    @classmethod
    def shared_covariances(
        cls, structure: str, n_fixed: int, n_components: int, allowed: Sequence[str]
    ) -> "ConstraintError":
        return cls(
            f"constraints: structure {structure} ties its covariances together, so all {n_components} can be held or "
            f"none, but {n_fixed} {'is' if n_fixed == 1 else 'are'}; single ones can with "
            f"{join_with_commas(list(allowed))}"
        )

    @classmethod
    def asymmetric_covariance(cls, component: int) -> "ConstraintError":
        return cls(f"constraints: the covariance of component {component} must be symmetric; check its entries")

    @classmethod
    def indefinite_covariance(cls, component: int) -> "ConstraintError":
        return cls(
            f"constraints: the covariance of component {component} must be positive definite; check its eigenvalues"
        )

    @classmethod
    def means_with_prior(cls) -> "ConstraintError":
        return cls("constraints: means cannot be held where a prior draws them; leave out the prior, or the means")
