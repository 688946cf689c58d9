"""Errors about what a fit is to hold fixed."""

from collections.abc import Sequence

from gaussmix.errors.models import ParameterError
from gaussmix.errors.words import listed


class ConstraintError(ParameterError):
    """Constraints that no mixture can obey, or that the structure does not offer."""

    @classmethod
    def kind(cls, found: object) -> "ConstraintError":
        return cls(f"constraints must be None or gaussmix.Constraints(...), but is {found!r}")

    @classmethod
    def flag(cls, found: object) -> "ConstraintError":
        return cls(f"constraints: equal_weights must be True or False, but is {found!r}")

    @classmethod
    def both_weights(cls) -> "ConstraintError":
        return cls("constraints: equal_weights=True fixes all weights already; leave out weights, or equal_weights")

    @classmethod
    def not_numbers(cls, name: str, cause: Exception) -> "ConstraintError":
        return cls(f"constraints: {name} must be numbers, NaN where free: {cause}")

    @classmethod
    def shape(cls, name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> "ConstraintError":
        return cls(f"constraints: {name} must have the shape {expected}, NaN where free, but has {found}")

    @classmethod
    def infinite(cls, name: str) -> "ConstraintError":
        return cls(f"constraints: {name} hold infinity; every number must be finite, or NaN where it is free")

    @classmethod
    def weight_range(cls, found: object) -> "ConstraintError":
        return cls(f"constraints: weights must lie above 0 and up to 1, NaN where free, but are {found}")

    @classmethod
    def weights_sum(cls, total: float) -> "ConstraintError":
        return cls(f"constraints: weights that are all held must add up to 1, but add up to {total:g}")

    @classmethod
    def nothing_left(cls, total: float) -> "ConstraintError":
        return cls(
            f"constraints: held weights add up to {total:g}, which leaves nothing for the free ones or for noise; "
            "lower them until they add up to less than 1"
        )

    @classmethod
    def partly(cls, what: str, component: int) -> "ConstraintError":
        return cls(
            f"constraints: the {what} of component {component} is NaN in part; give all of its numbers to hold it, "
            "or NaN throughout to leave it free"
        )

    @classmethod
    def per_component(cls, n_components: int) -> "ConstraintError":
        return cls(
            f"constraints: covariances must be a list of {n_components}, one for each component, "
            "with None or NaN where it is free"
        )

    @classmethod
    def shared(cls, structure: str, found: int, n_components: int, allowed: Sequence[str]) -> "ConstraintError":
        return cls(
            f"constraints: structure {structure} ties its covariances together, so all {n_components} can be held or "
            f"none, but {found} {'is' if found == 1 else 'are'}; single ones can with {listed(list(allowed))}"
        )

    @classmethod
    def asymmetric(cls, component: int) -> "ConstraintError":
        return cls(f"constraints: the covariance of component {component} must be symmetric; check its entries")

    @classmethod
    def indefinite(cls, component: int) -> "ConstraintError":
        return cls(
            f"constraints: the covariance of component {component} must be positive definite; check its eigenvalues"
        )

    @classmethod
    def with_prior(cls) -> "ConstraintError":
        return cls("constraints: means cannot be held where a prior draws them; leave out the prior, or the means")
