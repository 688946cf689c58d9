"""Every sentence this package says when something is wrong, in one place.

An error names the thing, what was found, what was allowed, and the next step. Exceptions build
their own messages, so that the rooms that raise them hold facts and no prose. The few classes
that scikit-learn fixes (``NotFittedError``, ``ConvergenceWarning``) are raised in ``estimators``.
"""

from collections.abc import Sequence

_TOO_FAR = (
    "lies so far from the fitted data that its density cannot be represented "
    "(more than about 1e150 standard deviations); check its units"
)


class GaussmixError(Exception):
    """Base of every error of this package; its message is one sentence for the user."""


class DataError(GaussmixError, ValueError):
    """The rows, weights or columns handed over cannot be used; ``row`` is the one at fault, from 0, where known."""

    row: int | None = None

    @classmethod
    def not_numeric(cls, cause: Exception, place: tuple[int, int, object] | None = None) -> "DataError":
        where = "" if place is None else f"; row {place[0]}, column {place[1]} (counted from 0) holds {place[2]!r}"
        return cls(f"the data must be numbers: {cause}{where}; drop or encode the columns that hold text")

    @classmethod
    def restated(cls, message: str) -> "DataError":
        """A message of scikit-learn's about the input, without the input printed in its middle."""
        head, _, tail = message.partition(":\narray=")
        advice = tail[tail.find("Reshape") :] if "Reshape" in tail else ""
        return cls("; ".join(part for part in (head.splitlines()[0], advice) if part))

    @classmethod
    def sparse(cls) -> "DataError":
        return cls("sparse data cannot be used: a Gaussian fills every column; pass X.toarray() if it fits in memory")

    @classmethod
    def dimensions(cls, found: int) -> "DataError":
        return cls(f"the data must have 2 dimensions (rows, columns), but have {found}; reshape them")

    @classmethod
    def columns(cls, found: int, expected: int) -> "DataError":
        have = _counted(found, "column")
        return cls(f"the data have {have}, but the model was made for {expected}; pass the same columns")

    @classmethod
    def not_finite(cls, value: float, row: int, column: str, count: int) -> "DataError":
        what = "NaN" if value != value else "infinity (inf)"
        more = f" ({count} such values in all)" if count > 1 else ""
        return cls(
            f"X contains {what} in row {row}, column {column}{more}; rows and columns count from 0: "
            "drop or fill these values first"
        )

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
            "ask for fewer components or use more rows"
        )

    @classmethod
    def too_far(cls, row: int) -> "DataError":
        error = cls(f"row {row} (counted from 0) {_TOO_FAR}")
        error.row = row
        return error

    @classmethod
    def unknown_columns(cls, missing: Sequence[str], present: Sequence[str]) -> "DataError":
        named = _joined([f"{name!r}{_suggestion(name, present)}" for name in missing])
        there = f"the only column is {present[0]!r}" if len(present) == 1 else f"the columns are {_listed(present)}"
        return cls(f"no column{'' if len(missing) == 1 else 's'} named {named}; {there}")


class WeightError(DataError):
    """The row weights handed over cannot be used."""

    @classmethod
    def not_a_number(cls, cause: Exception) -> "WeightError":
        return cls(f"sample_weight must be numbers: {cause}")

    @classmethod
    def total(cls, total: float) -> "WeightError":
        return cls(f"sample_weight adds up to {total:g}, out of all proportion; divide it by its mean")

    @classmethod
    def shape(cls, found: tuple[int, ...], n_rows: int) -> "WeightError":
        return cls(f"sample_weight must have the shape ({n_rows},), one number per row, but has {found}")

    @classmethod
    def value(cls, value: float, row: int) -> "WeightError":
        return cls(f"sample_weight must be finite and not negative, but is {value} in row {row}")

    @classmethod
    def all_zero(cls) -> "WeightError":
        return cls("sample_weight is zero in every row; at least one row must count")


class ParameterError(GaussmixError, ValueError):
    """A parameter of a model or a method is outside what is allowed."""

    @classmethod
    def choice(cls, name: str, found: object, allowed: Sequence[object]) -> "ParameterError":
        return cls(f"{name} must be one of {', '.join(str(a) for a in allowed)}, but is {found!r}")

    @classmethod
    def shape(cls, name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> "ParameterError":
        return cls(f"The parameter '{name}' should have the shape of {expected}, but got {found}")

    @classmethod
    def dimension(cls, what: str, found: int, needed: int) -> "ParameterError":
        columns = "1 column" if needed == 1 else f"{needed} columns"
        return cls(f"{what} needs a distribution of {columns}, but this one has {found}; take a marginal first")

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

    @classmethod
    def missing(cls, path: object) -> "FileProblem":
        return cls(f"there is no file {path}; check its name and folder")

    @classmethod
    def not_a_file(cls, path: object, found: str) -> "FileProblem":
        return cls(f"{path} is {found}, not a file; give the path of one .csv or .parquet file")

    @classmethod
    def extension(cls, path: object) -> "FileProblem":
        return cls(f"cannot tell what kind of file {path} is; its name must end in .csv, .tsv, .txt or .parquet")

    @classmethod
    def unreadable(cls, path: object, reason: object) -> "FileProblem":
        return cls(f"cannot read {path}: {reason}")

    @classmethod
    def unwritable(cls, path: object, reason: object) -> "FileProblem":
        return cls(f"cannot write {path}: {reason}; choose another place with --output")

    @classmethod
    def is_input(cls, path: object) -> "FileProblem":
        return cls(f"{path} is read by this command and would be overwritten; choose another place with --output")

    @classmethod
    def empty(cls, path: object) -> "FileProblem":
        return cls(f"{path} is empty; it needs a line of column names and at least one row")

    @classmethod
    def not_utf8(cls, path: object, where: str) -> "FileProblem":
        return cls(f"{path} is not UTF-8 text ({where}); save it again as 'CSV UTF-8'")


class TableProblem(FileProblem):
    """A file was opened, but the rows and columns in it cannot be used."""

    @classmethod
    def no_rows(cls, path: object) -> "TableProblem":
        return cls(f"{path} has column names but 0 rows; at least one is needed")

    @classmethod
    def no_header(cls, path: object, first: str) -> "TableProblem":
        return cls(f"the first line of {path} holds numbers ({first}), not column names; put a line of names above it")

    @classmethod
    def ragged(cls, path: object, where: str, found: int, expected: int) -> "TableProblem":
        names = f"there {'is' if expected == 1 else 'are'} {_counted(expected, 'column name')}"
        return cls(f"{where} of {path} has {_counted(found, 'field')}, but {names}; correct that line")

    @classmethod
    def duplicate_columns(cls, path: object, names: Sequence[str]) -> "TableProblem":
        return cls(f"{path} has more than one column named {_listed([repr(n) for n in names])}; rename all but one")

    @classmethod
    def no_numeric_column(cls, path: object, kinds: Sequence[str]) -> "TableProblem":
        others = f": {_listed(kinds)}" if kinds else ""
        return cls(f"{path} has no column of numbers to fit{others}; add one, or correct the values named")

    @classmethod
    def not_numbers(cls, column: str, reason: str) -> "TableProblem":
        return cls(f"column {column!r} {reason}; make it numbers in the file, or leave it out")

    @classmethod
    def no_value(cls, column: str, row: int, what: str, count: int) -> "TableProblem":
        more = f" ({count} such rows in all)" if count > 1 else ""
        return cls(
            f"column {column!r} {what} in data row {row}{more}; correct or drop such rows, or leave the column out"
        )

    @classmethod
    def all_equal(cls, path: object, n_rows: int) -> "TableProblem":
        what = "one row only" if n_rows == 1 else f"{n_rows} rows that are all equal"
        return cls(f"{path} has {what} in the columns used, so there are no groups to find; use rows that differ")

    @classmethod
    def too_few_rows(cls, path: object, n_rows: int, n_components: int) -> "TableProblem":
        needed = _counted(n_components, "component")
        return cls(f"{path} has {_counted(n_rows, 'row')}, too few for {needed}; ask for fewer with --components")

    @classmethod
    def too_far(cls, number: int) -> "TableProblem":
        return cls(f"data row {number} {_TOO_FAR}")

    @classmethod
    def nearly_numbers(cls, column: str, culprit: str, n_numbers: int, n_values: int) -> "TableProblem":
        return cls(
            f"column {column!r} is text because {culprit} ({n_numbers} of {n_values} values are numbers): "
            "correct it, or choose the other columns with --columns"
        )

    @classmethod
    def bad_weight(cls, column: str, row: int, value: float) -> "TableProblem":
        return cls(f"the weights in column {column!r} must be at least 0, but data row {row} holds {value:g}")

    @classmethod
    def zero_weights(cls, column: str) -> "TableProblem":
        return cls(f"the weights in column {column!r} are zero in every row; at least one row must count")

    @classmethod
    def nameless_model(cls, path: object, found: int, expected: int) -> "TableProblem":
        return cls(
            f"the model was fitted without column names to {_counted(expected, 'column')}, but {path} has "
            f"{_counted(found, 'column')} of numbers; give a file with the columns of the fit, in its order"
        )


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


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{_listed(names[:-1])} and {names[-1]}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _suggestion(name: str, present: Sequence[str]) -> str:
    """The closest of the names there are, as a question in brackets, or nothing."""
    import difflib

    close = difflib.get_close_matches(name.casefold(), [other.casefold() for other in present], n=1)
    found = [other for other in present if other.casefold() in close]
    return f" (did you mean {found[0]!r}?)" if found else ""
