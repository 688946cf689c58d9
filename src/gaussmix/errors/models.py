"""Errors about parameters, fits and optional packages."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError, GaussmixWarning
from gaussmix.errors.text import format_count, join_with_commas

_DEGENERATE_FIT_ADVICE = (
    "there are too few rows, or they are equal in some direction; use more rows, fewer columns or a simpler structure"
)


class ParameterError(GaussmixError, ValueError):
    """A parameter that is not allowed."""

    @classmethod
    def invalid_choice(cls, name: str, value: object, allowed: Sequence[object]) -> "ParameterError":
        """Return the error that a parameter is none of the allowed values."""
        return cls(f"{name} must be one of {', '.join(str(a) for a in allowed)}, but is {value!r}")

    @classmethod
    def wrong_shape(cls, name: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> "ParameterError":
        """Return the error that an array of parameters has a wrong shape."""
        return cls(f"The parameter '{name}' should have the shape of {expected}, but got {actual}")

    @classmethod
    def init_weights_out_of_range(cls, smallest: float, largest: float) -> "ParameterError":
        """Return the error for starting weights below 0 or above 1."""
        return cls(
            "The parameter 'weights' should be in the range [0, 1], but got "
            f"max value {largest:.5f}, min value {smallest:.5f}"
        )

    @classmethod
    def init_weights_not_normalized(cls, total: float) -> "ParameterError":
        """Return the error for starting weights that do not sum to 1."""
        return cls(f"The parameter 'weights' should be normalized, but got sum(weights) = {total:.5f}")

    @classmethod
    def unmet_requirement(cls, name: str, requirement: str) -> "ParameterError":
        """Return the error for an array that is not positive, or not positive-definite, in scikit-learn's words."""
        return cls(f"'{name}' should be {requirement}")

    @classmethod
    def too_few_degrees_of_freedom(cls, n_features: int, value: float) -> "ParameterError":
        """Return the error for a degrees_of_freedom_prior of at most D - 1."""
        return cls(
            f"The parameter 'degrees_of_freedom_prior' should be greater than {n_features - 1}, but got {value:.3f}."
        )

    @classmethod
    def changed_in_partial_fit(cls, name: str, value: object, previous: object) -> "ParameterError":
        """Return the error that a parameter changed between two calls of partial_fit."""
        return cls(
            f"{name} is {value!r}, but the mixture that partial_fit updates was fitted with {previous!r}; restore it, "
            "or call fit to start anew"
        )

    @classmethod
    def wrong_n_features(cls, operation: str, actual: int, expected: int) -> "ParameterError":
        """Return the error that an operation on a distribution needs another number of columns."""
        columns = format_count(expected, "column")
        return cls(f"{operation} needs a distribution of {columns}, but this one has {actual}; take a marginal first")

    @classmethod
    def invalid_value(cls, name: str, value: object, allowed: str) -> "ParameterError":
        """Return the error that a parameter has a value that is not allowed."""
        return cls(f"{name} must be {allowed}, but is {value!r}")

    @classmethod
    def ridge_with_gradient(cls, solver: str) -> "ParameterError":
        """Return the error that a ridge is combined with a gradient solver."""
        return cls(f"solver={solver!r} maximises the likelihood, which has no ridge; use reg_covar=None or solver='em'")

    @classmethod
    def not_positive_definite(cls, name: str, component: int | None = None) -> "ParameterError":
        """Return the error that a matrix of parameters is not positive definite."""
        which = "" if component is None else f" of component {component}"
        return cls(f"the {name}{which} should be symmetric, positive-definite; check its eigenvalues")

    @classmethod
    def outside_structure(cls, structure: str, relative_error: float) -> "ParameterError":
        """Return the error that covariances do not have the structure."""
        return cls(
            f"these covariances are not of structure {structure} (relative difference {relative_error:.2g}); "
            "name the structure they have, or 'VVV', which allows any"
        )

    @classmethod
    def missing_n_factors(cls, structure: str, parameter: str) -> "ParameterError":
        """Return the error that a factor structure lacks the number of factors."""
        return cls(
            f"{parameter}={structure!r} is a mixture of factor analysers; pass n_factors, the number of factors, "
            "a whole number of at least 1"
        )

    @classmethod
    def too_many_factors(cls, structure: str, n_factors: int, n_features: int, max_factors: int) -> "ParameterError":
        """Return the error that a factor structure has more parameters than a full covariance."""
        columns = format_count(n_features, "column")
        next_step = f"use n_factors <= {max_factors}" if max_factors > 0 else "use a structure without factors"
        return cls(
            f"n_factors={n_factors} is too large for {structure} with {columns}: loadings and noise variances would "
            f"have more parameters than a full covariance; {next_step}"
        )

    @classmethod
    def not_supported_with_factors(cls, parameter: str, structure: str) -> "ParameterError":
        """Return the error that a parameter is not supported for factor structures."""
        return cls(
            f"{parameter} is not supported for {structure}, whose covariances are loadings and noise variances; "
            "leave it out, or use a structure without factors"
        )


class CollapseError(GaussmixError, ValueError):
    """The covariance of a component became singular and there was no variance floor."""

    def __init__(self, components: Sequence[int], advice: str = "reg_covar=None keeps every covariance usable"):
        self.components = tuple(components)
        super().__init__(
            "Fitting the mixture model failed because some components have ill-defined empirical covariance "
            "(for instance caused by singleton or collapsed samples). Try to decrease the number of components, "
            "increase reg_covar, or scale the input data. Here: component "
            f"{join_with_commas([str(k) for k in self.components])}; {advice}."
        )


class UnrepresentableError(GaussmixError, OverflowError):
    """A correct number that is too large or too small for double precision in the units of the data."""

    @classmethod
    def from_quantity(cls, name: str, failure: str) -> "UnrepresentableError":
        """Return the error that names the quantity and whether it overflows or underflows."""
        return cls(
            f"{name} {failure} double precision in the data's units; rescale the data to read them. "
            "The fitted model itself (model_) uses internal units and stays usable"
        )


class MissingPackageError(GaussmixError, ImportError):
    """An optional package that is not installed."""

    @classmethod
    def for_extra(cls, package: str, purpose: str, extra: str) -> "MissingPackageError":
        """Return the error that names the package and the extra that installs it."""
        return cls(f"{purpose} needs {package}, which is not installed: pip install 'gaussmix[{extra}]'")

    @classmethod
    def for_package(cls, package: str, purpose: str) -> "MissingPackageError":
        """Return the error that names a package that no extra installs."""
        return cls(f"{purpose} needs {package}, which is not installed: pip install {package}")


class CompilationWarning(GaussmixWarning):
    """The compiled engine cannot be used; results are correct but slower."""

    @classmethod
    def from_reason(cls, reason: BaseException) -> "CompilationWarning":
        """Return the warning that names the exception that made Numba unusable."""
        return cls(
            "Numba cannot be used, so rows are processed in NumPy, several times slower than compiled code: "
            f"{reason} (to repair Numba: pip install --force-reinstall numba)"
        )


class CompilationError(GaussmixError, RuntimeError):
    """Compiled code that is neither cached nor can be compiled."""

    @classmethod
    def from_reason(cls, reason: Exception) -> "CompilationError":
        """Return the error that names the exception that made Numba unusable."""
        return cls(f"there is no compiled code for this computation, and Numba cannot compile it: {reason}")


class CapabilityError(GaussmixError, TypeError):
    """A source or an engine cannot do what a method needs."""

    @classmethod
    def missing(cls, owner: str, capability: str, purpose: str) -> "CapabilityError":
        """Return the error that a source lacks a capability."""
        return cls(
            f"{purpose} needs a source with the capability {capability}, which {owner} does not have; "
            "load the rows into memory, or choose another method"
        )

    @classmethod
    def no_categorical_columns(cls, engine: str) -> "CapabilityError":
        """Return the error that an engine does not support categorical columns."""
        return cls(f"the engine {engine!r} does not support categorical columns; use engine='auto' or engine='numpy'")


class SelectionError(GaussmixError, RuntimeError):
    """No candidate of a model search or of a test can be fitted."""

    @classmethod
    def no_fit(cls, first_reason: str) -> "SelectionError":
        """Return the error of a search whose candidates all fail; ``first_reason`` is that of the first candidate."""
        return cls(f"no candidate could be fitted; the first says: {first_reason}")

    @classmethod
    def no_fit_in_every_fold(cls, first_reason: str) -> "SelectionError":
        """Return the error of a cross-validation in which every candidate fails in a fold."""
        return cls(f"no candidate could be fitted in every fold; the first says: {first_reason}")

    @classmethod
    def degenerate_single_component(cls, structure: str) -> "SelectionError":
        """Return the error of a test that has no null hypothesis to begin with."""
        return cls(f"one component of {structure} has only degenerate fits: {_DEGENERATE_FIT_ADVICE}")

    @classmethod
    def degenerate_bootstrap_fits(cls, n_samples: int, n_null_components: int) -> "SelectionError":
        """Return the error of a bootstrap test; no sample of the null model has a usable fit of one more component."""
        return cls(
            f"{n_samples} samples of {n_null_components} components had only degenerate fits of one more: "
            f"{_DEGENERATE_FIT_ADVICE}"
        )
