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
    def unknown_engine(cls, engine: object, names: Sequence[str]) -> "ParameterError":
        """Return the error that an engine is neither a known name nor an engine object."""
        found = f"is {engine!r}"
        if isinstance(engine, type):
            found = f"is the class {engine.__name__}; make an object of it: {engine.__name__}()"
        return cls(f"engine must be one of {', '.join(names)}, or an engine object, but {found}")

    @classmethod
    def wrong_type(cls, name: str, value: object, allowed: str) -> "ParameterError":
        """Return the error that a parameter is an object of a type that is not allowed; it is not printed."""
        return cls(f"{name} must be {allowed}, but has the type {type(value).__name__}")

    @classmethod
    def wrong_shape(cls, name: str, actual: tuple[int, ...], expected: tuple[int, ...]) -> "ParameterError":
        """Return the error that an array of parameters has a wrong shape."""
        return cls(f"The parameter '{name}' should have the shape of {expected}, but got {actual}")

    @classmethod
    def wrong_n_values(cls, actual: tuple[int, ...], n_known: int) -> "ParameterError":
        """Return the error that there is not one value for each known column."""
        found = str(actual[0]) if len(actual) == 1 else f"the shape {actual}"
        return cls(f"values must have one number per known column ({n_known}), but has {found}")

    @classmethod
    def not_finite(cls, name: str) -> "ParameterError":
        """Return the error that an array of parameters contains NaN or infinity."""
        return cls(f"there is NaN or infinity in {name}; every value must be a finite number")

    @classmethod
    def asymmetric_covariance(cls, max_difference: float) -> "ParameterError":
        """Return the error that a covariance matrix is not symmetric."""
        return cls(
            "a covariance matrix must be symmetric, but its entries differ from those of its transpose "
            f"by up to {max_difference:.3g}; use (S + S.T) / 2 if the difference is rounding"
        )

    @classmethod
    def changed_in_partial_fit(cls, name: str, value: object, previous: object) -> "ParameterError":
        """Return the error that a parameter changed between two calls of partial_fit."""
        return cls(
            f"{name} is {value!r}, but the mixture that partial_fit updates was fitted with {previous!r}; restore it, "
            "or call fit to start anew"
        )

    @classmethod
    def changed_in_stream(cls, name: str, value: object, previous: object) -> "ParameterError":
        """Return the error that a parameter changed while a stream was being learned."""
        return cls(
            f"{name} is {value!r}, but the stream began with {previous!r}; restore it, or call fit to start anew"
        )

    @classmethod
    def unknown_weight_in_partial_fit(cls) -> "ParameterError":
        """Return the error that partial_fit would discard a mixture that was loaded, or made from a Mixture."""
        return cls(
            "partial_fit cannot continue from a mixture without its rows: how many rows it stands for is unknown; "
            "use warm_start=True to start the fit of the first chunk from it, or a new estimator to start anew"
        )

    @classmethod
    def wrong_n_features(cls, operation: str, actual: int, expected: int) -> "ParameterError":
        """Return the error that an operation on a distribution needs another number of columns."""
        columns = format_count(expected, "column")
        return cls(f"{operation} needs a distribution of {columns}, but this one has {actual}; take a marginal first")

    @classmethod
    def different_columns(cls, operation: str, first: Sequence[str], second: Sequence[str]) -> "ParameterError":
        """Return the error that two distributions have columns of other names or in another order."""
        return cls(
            f"{operation} needs equal feature_names, but one distribution has {join_with_commas(first)} and the other "
            f"{join_with_commas(second)}; bring the columns into one order first: "
            f"marginal([{join_with_commas([repr(name) for name in first])}])"
        )

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


class DegenerateFitWarning(GaussmixWarning):
    """A component of a fit is empty, at the variance floor, or has fewer rows than its covariance needs."""

    @classmethod
    def from_degeneracy(cls, degeneracy: str, column_texts: Sequence[str] = ()) -> "DegenerateFitWarning":
        """Return the warning that names the components; ``degeneracy`` is that of a `Fit`.

        ``column_texts`` name the columns that no Gaussian describes, and the next step.
        """
        advice = (
            f"The fit is degenerate: {degeneracy}. Its likelihood is uninformative; use fewer components, fewer "
            "columns, prior='default' or a structure with fewer parameters."
        )
        return cls(" ".join([advice, *column_texts, "fit_.notes has details."]))

    @classmethod
    def every_candidate(cls, name: str, degeneracy: str, column_texts: Sequence[str] = ()) -> "DegenerateFitWarning":
        """Return the warning that a search has found only degenerate candidates; ``name`` is that of the chosen one."""
        advice = (
            f"Every candidate of the search is degenerate; the chosen one is {name}: {degeneracy}. Do not rely on its "
            "groups; use fewer components, fewer columns, prior='default' or structures with fewer parameters."
        )
        return cls(" ".join([advice, *column_texts]))


class UnrepresentableError(GaussmixError, OverflowError):
    """A correct number that is too large or too small for double precision in the units of the data."""

    @classmethod
    def density_overflows(cls, logarithm: str) -> "UnrepresentableError":
        """Return the error that a density overflows; ``logarithm`` is the method that returns its logarithm."""
        return cls(f"densities overflow double precision in the data's units; use {logarithm}, their logarithm")

    @classmethod
    def product_underflows(cls) -> "UnrepresentableError":
        """Return the error that two densities lie so far apart that the log of their product's integral overflows."""
        return cls(
            "the two distributions lie so far apart that the integral of their product cannot be represented "
            "(more than about 1e150 standard deviations); check their units"
        )

    @classmethod
    def from_quantity(cls, name: str, failure: str) -> "UnrepresentableError":
        """Return the error that names the quantity of a fit and whether it overflows or underflows."""
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


class CompiledCodeWarning(GaussmixWarning):
    """Compiled code cannot be used; results are correct but slower."""

    @classmethod
    def from_reason(cls, reason: BaseException) -> "CompiledCodeWarning":
        """Return the warning that names the reason."""
        return cls(f"rows are processed in NumPy, often ten times slower than in compiled code: {reason}")


class CompiledCodeError(GaussmixError, RuntimeError):
    """The library of compiled functions is missing or cannot be used."""

    @classmethod
    def no_library(cls, path: str) -> "CompiledCodeError":
        """Return the error that there is no library."""
        return cls(
            f"there is no library of compiled functions at {path}; install gaussmix from a wheel, or from source "
            "where Numba can be installed: pip install --force-reinstall gaussmix"
        )

    @classmethod
    def unusable_library(cls, path: str, reason: Exception) -> "CompiledCodeError":
        """Return the error that the operating system cannot load the library."""
        return cls(
            f"the library of compiled functions at {path} cannot be loaded: {reason}; "
            "to repair it: pip install --force-reinstall gaussmix"
        )

    @classmethod
    def no_level(cls, wanted: str, levels: list[str]) -> "CompiledCodeError":
        """Return the error that there is no code for a processor; ``levels`` are those that the processor has."""
        return cls(
            f"the library of compiled functions holds no code for {wanted}; "
            f"this processor has the levels: {', '.join(levels) or 'none that gaussmix knows'}"
        )

    @classmethod
    def no_forced_level(cls, variable: str, wanted: str, levels: list[str]) -> "CompiledCodeError":
        """Return the error that a variable of the environment asks for a level that cannot be used here."""
        return cls(
            f"{variable} is {wanted!r}, for which this processor and this installation have no compiled code; "
            f"unset it, or choose one of {', '.join(levels) or 'no level: gaussmix knows none of this processor'}"
        )

    @classmethod
    def damaged_library(cls, path: str, found: str, expected: str) -> "CompiledCodeError":
        """Return the error that a library is not the one that was built."""
        return cls(
            f"the library of compiled functions at {path} is damaged: it has {found}, not {expected}; "
            "to repair it: pip install --force-reinstall gaussmix"
        )

    @classmethod
    def missing_function(cls, name: str, path: str) -> "CompiledCodeError":
        """Return the error that a library of other sources lacks a function."""
        return cls(
            f"the library of compiled functions at {path} lacks {name}, so it belongs to another version; "
            "to repair it: pip install --force-reinstall gaussmix"
        )


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
    def no_batch_engine(cls, purpose: str, engine: str) -> "CapabilityError":
        """Return the error that an engine is no BatchEngine."""
        return cls(
            f"{purpose} needs an engine that is a BatchEngine, but has {engine}; use engine='auto' or another solver"
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
