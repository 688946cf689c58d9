"""Errors are sentences: they name the thing, what was found, and what to do."""

import inspect

import pytest

import gaussmix
from gaussmix import errors

ERRORS_AND_WARNINGS = [value for value in vars(errors).values() if inspect.isclass(value)]
ERRORS = [value for value in ERRORS_AND_WARNINGS if issubclass(value, Exception) and not issubclass(value, Warning)]
WARNINGS = [value for value in ERRORS_AND_WARNINGS if issubclass(value, Warning)]


def test_every_exported_name_exists() -> None:
    assert set(errors.__all__) == {value.__name__ for value in ERRORS_AND_WARNINGS}


@pytest.mark.parametrize("error_class", ERRORS, ids=lambda error_class: error_class.__name__)
def test_every_error_is_a_gaussmix_error(error_class: type[Exception]) -> None:
    assert issubclass(error_class, gaussmix.GaussmixError)


@pytest.mark.parametrize("error_class", WARNINGS, ids=lambda error_class: error_class.__name__)
def test_every_warning_is_a_gaussmix_warning(error_class: type[Warning]) -> None:
    assert issubclass(error_class, errors.GaussmixWarning)
    assert issubclass(error_class, UserWarning)


@pytest.mark.parametrize(
    ("error_class", "builtin"),
    [
        (errors.DataError, ValueError),
        (errors.DataTypeError, TypeError),
        (errors.ParameterError, ValueError),
        (errors.CollapseError, ValueError),
        (errors.ArchiveError, ValueError),
        (errors.UnrepresentableError, OverflowError),
        (errors.MissingPackageError, ImportError),
        (errors.SelectionError, RuntimeError),
    ],
)
def test_errors_are_also_subclasses_of_builtin_errors(error_class: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error_class, builtin)


def test_long_lists_of_names_are_shortened() -> None:
    message = str(errors.ColumnNameError.unknown_columns(["zz"], [f"c{j}" for j in range(40)]))
    assert "c11, ... (40 in all)" in message
    assert "c12" not in message


def test_missing_package_error_names_the_extra() -> None:
    message = str(errors.MissingPackageError.for_extra("matplotlib", "plotting", "plots"))
    assert message == "plotting needs matplotlib, which is not installed: pip install 'gaussmix[plots]'"


def test_not_finite_error_counts_values_if_there_are_several() -> None:
    assert "in all" not in str(errors.DataError.not_finite(float("nan"), 3, "1", 1))
    assert "(7 such values in all)" in str(errors.DataError.not_finite(float("inf"), 3, "1", 7))
