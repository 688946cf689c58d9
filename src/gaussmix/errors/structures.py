"""Errors about covariance structures and their numbers of factors."""

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
