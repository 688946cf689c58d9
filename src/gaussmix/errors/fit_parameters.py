"""Errors about covariance structures, and about starting values and priors of a fit."""

from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import format_count


class StructureError(ParameterError):
    """A covariance structure that does not fit the covariances, the columns or another parameter."""

    @classmethod
    def outside_structure(cls, structure: str, relative_error: float) -> "StructureError":
        """Return the error that covariances do not have the structure."""
        return cls(
            f"these covariances are not of structure {structure} (relative difference {relative_error:.2g}); "
            "name the structure they have, or 'VVV', which allows any"
        )

    @classmethod
    def missing_n_factors(cls, structure: str, parameter: str) -> "StructureError":
        """Return the error that a factor structure lacks the number of factors."""
        return cls(
            f"{parameter}={structure!r} is a mixture of factor analysers; pass n_factors, the number of factors, "
            "a whole number of at least 1"
        )

    @classmethod
    def too_many_factors(cls, structure: str, n_factors: int, n_features: int, max_factors: int) -> "StructureError":
        """Return the error that a factor structure has more parameters than a full covariance."""
        columns = format_count(n_features, "column")
        next_step = f"use n_factors <= {max_factors}" if max_factors > 0 else "use a structure without factors"
        return cls(
            f"n_factors={n_factors} is too large for {structure} with {columns}: loadings and noise variances would "
            f"have more parameters than a full covariance; {next_step}"
        )

    @classmethod
    def not_supported_with_factors(cls, parameter: str, structure: str) -> "StructureError":
        """Return the error that a parameter is not supported for factor structures."""
        return cls(
            f"{parameter} is not supported for {structure}, whose covariances are loadings and noise variances; "
            "leave it out, or use a structure without factors"
        )


class StartingValueError(ParameterError):
    """A starting value or a prior that is not allowed; users of scikit-learn know these messages."""

    @classmethod
    def init_weights_out_of_range(cls, smallest: float, largest: float) -> "StartingValueError":
        """Return the error for starting weights below 0 or above 1."""
        return cls(
            "The parameter 'weights' should be in the range [0, 1], but got "
            f"max value {largest:.5f}, min value {smallest:.5f}"
        )

    @classmethod
    def init_weights_not_normalized(cls, total: float) -> "StartingValueError":
        """Return the error for starting weights that do not sum to 1."""
        return cls(f"The parameter 'weights' should be normalized, but got sum(weights) = {total:.5f}")

    @classmethod
    def unmet_requirement(cls, name: str, requirement: str) -> "StartingValueError":
        """Return the error for an array that is not positive, or not positive-definite, in scikit-learn's words."""
        return cls(f"'{name}' should be {requirement}")

    @classmethod
    def too_few_degrees_of_freedom(cls, n_features: int, value: float) -> "StartingValueError":
        """Return the error for a degrees_of_freedom_prior of at most D - 1."""
        return cls(
            f"The parameter 'degrees_of_freedom_prior' should be greater than {n_features - 1}, but got {value:.3f}."
        )

    @classmethod
    def wrong_center_shape(cls, actual: tuple[int, ...], n_clusters: int, n_features: int) -> "StartingValueError":
        """Return the error that an array of initial centers has a wrong shape, in scikit-learn's words."""
        has_wrong_number = len(actual) != 2 or actual[0] != n_clusters
        limit = (
            f"number of clusters {n_clusters}" if has_wrong_number else f"number of features of the data {n_features}"
        )
        return cls(
            f"The shape of the initial centers {actual} does not match the {limit}; "
            f"pass an array of shape {(n_clusters, n_features)} as init"
        )

    @classmethod
    def prior_scale_overflow(cls) -> "StartingValueError":
        """Return the error that the mean variance of all columns overflows in the units of a column."""
        return cls(
            "prior: the mean variance of the columns is the default scale, and it overflows in the units of the "
            "smallest column; pass DefaultPrior(scale=...), or rescale the columns"
        )
