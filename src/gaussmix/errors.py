"""Every sentence this package says when something is wrong, in one place.

An error names the thing, what was found, what was allowed, and the next step. Exceptions build
their own messages, so that the rooms that raise them hold facts and no prose. The few classes
that scikit-learn fixes (``NotFittedError``, ``ConvergenceWarning``) are raised in ``estimators``.
"""

from collections.abc import Sequence


class GaussmixError(Exception):
    """Base of every error of this package; its message is one sentence for the user."""


class DataError(GaussmixError, ValueError):
    """The rows, weights or columns handed over cannot be used."""

    @classmethod
    def not_numeric(cls, cause: Exception) -> "DataError":
        return cls(f"the data must be numbers ({cause}); drop or encode the columns that hold text")

    @classmethod
    def sparse(cls) -> "DataError":
        return cls("sparse data cannot be used: a Gaussian fills every column; pass X.toarray() if it fits in memory")

    @classmethod
    def dimensions(cls, found: int) -> "DataError":
        return cls(f"the data must have 2 dimensions (rows, columns), but have {found}; reshape them")

    @classmethod
    def columns(cls, found: int, expected: int) -> "DataError":
        return cls(f"the data have {found} columns, but the model was made for {expected}; pass the same columns")

    @classmethod
    def not_finite(cls, value: float, row: int, column: str, count: int) -> "DataError":
        what = "NaN" if value != value else "infinity (inf)"
        more = f" ({count} such values in all)" if count > 1 else ""
        return cls(
            f"X contains {what} in row {row}, column {column}{more}; rows and columns count from 0: "
            "drop or fill these values first"
        )

    @classmethod
    def weights_shape(cls, found: tuple[int, ...], n_rows: int) -> "DataError":
        return cls(f"sample_weight must have the shape ({n_rows},), one number per row, but has {found}")

    @classmethod
    def weight_value(cls, value: float, row: int) -> "DataError":
        return cls(f"sample_weight must be finite and not negative, but is {value} in row {row}")

    @classmethod
    def weights_zero(cls) -> "DataError":
        return cls("sample_weight is zero in every row; at least one row must count")

    @classmethod
    def not_finite_parameter(cls, name: str) -> "DataError":
        return cls(f"{name} hold NaN or infinity; every parameter must be a finite number")

    @classmethod
    def asymmetric(cls, gap: float) -> "DataError":
        return cls(f"a covariance matrix must be symmetric, but entries differ by up to {gap:.3g}")

    @classmethod
    def no_rows(cls) -> "DataError":
        return cls("the data have 0 rows; at least one is needed")

    @classmethod
    def too_few_rows(cls, n_rows: int, n_components: int) -> "DataError":
        return cls(
            f"Expected n_samples >= n_components but got n_components = {n_components}, n_samples = {n_rows}; "
            "ask for fewer components or bring more rows"
        )

    @classmethod
    def too_far(cls, row: int) -> "DataError":
        return cls(
            f"row {row} lies so far from the fitted data that its density cannot be represented "
            "(more than about 1e150 standard deviations); check its units"
        )

    @classmethod
    def unknown_columns(cls, missing: Sequence[str], present: Sequence[str]) -> "DataError":
        return cls(f"no column named {_listed(missing)}; the columns are {_listed(present)}")


class ParameterError(GaussmixError, ValueError):
    """A parameter of a model or a method is outside what is allowed."""

    @classmethod
    def choice(cls, name: str, found: object, allowed: Sequence[object]) -> "ParameterError":
        return cls(f"{name} must be one of {_listed([str(a) for a in allowed])}, but is {found!r}")

    @classmethod
    def shape(cls, name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> "ParameterError":
        return cls(f"The parameter '{name}' should have the shape of {expected}, but got {found}")

    @classmethod
    def value(cls, name: str, found: object, allowed: str) -> "ParameterError":
        return cls(f"{name} must be {allowed}, but is {found!r}")

    @classmethod
    def not_positive_definite(cls, name: str, component: int | None = None) -> "ParameterError":
        which = "" if component is None else f" of component {component}"
        return cls(f"the {name}{which} should be symmetric, positive-definite; check its eigenvalues")

    @classmethod
    def outside_structure(cls, structure: str, error: float) -> "ParameterError":
        return cls(
            f"these covariances are not of structure {structure} (they miss it by {error:.2g} of their size); "
            "name the structure they have, or 'VVV', which holds any"
        )


class CollapseError(GaussmixError, ValueError):
    """A component's covariance became singular and no floor was in force."""

    def __init__(self, components: Sequence[int]):
        self.components = tuple(components)
        super().__init__(
            "Fitting the mixture model failed because some components have ill-defined empirical covariance "
            "(for instance caused by singleton or collapsed samples). Try to decrease the number of components, "
            "increase reg_covar, or scale the input data. Here: component "
            f"{_listed([str(k) for k in self.components])}; reg_covar=None keeps every covariance usable."
        )


class UnrepresentableError(GaussmixError, OverflowError):
    """A number is right but too large or too small for double precision in the user's units."""

    @classmethod
    def of(cls, name: str, how: str) -> "UnrepresentableError":
        return cls(
            f"{name} {how} double precision in the data's units; rescale the data to read them. "
            "The fitted model itself (model_) works in its own units and stays usable"
        )


class ArchiveError(GaussmixError, ValueError):
    """A model file cannot be read."""

    @classmethod
    def because(cls, path: object, reason: str) -> "ArchiveError":
        return cls(f"{path} is not a usable gaussmix model: {reason}")


class FileProblem(GaussmixError):
    """A file the user named cannot be read or written."""


class MissingPackageError(GaussmixError, ImportError):
    """An optional package is needed for what was asked."""

    @classmethod
    def of(cls, package: str, purpose: str, extra: str) -> "MissingPackageError":
        return cls(f"{purpose} needs {package}, which is not installed: pip install 'gaussmix[{extra}]'")


class SelectionError(GaussmixError, RuntimeError):
    """No candidate of a model search could be fitted."""


class CollapseWarning(UserWarning):
    """A fitted component rests on the floor of its variance, or is empty."""


def _listed(names: Sequence[str]) -> str:
    shown = [str(name) for name in names[:12]]
    if len(names) > 12:
        shown.append(f"... ({len(names)} in all)")
    return ", ".join(shown)
