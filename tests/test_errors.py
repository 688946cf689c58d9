"""Errors are sentences: they name the thing, what was found, and what to do."""

import inspect

import pytest

import gaussmix
from gaussmix import errors

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value)]
OURS = [value for value in CLASSES if issubclass(value, Exception) and not issubclass(value, Warning)]
WARNINGS = [value for value in CLASSES if issubclass(value, Warning)]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_one_base_catches_them_all(kind: type[Exception]) -> None:
    assert issubclass(kind, gaussmix.GaussmixError)


@pytest.mark.parametrize("kind", WARNINGS, ids=lambda kind: kind.__name__)
def test_one_base_silences_them_all(kind: type[Warning]) -> None:
    assert issubclass(kind, errors.GaussmixWarning)
    assert issubclass(kind, UserWarning)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.DataError, ValueError),
        (errors.ParameterError, ValueError),
        (errors.CollapseError, ValueError),
        (errors.ArchiveError, ValueError),
        (errors.UnrepresentableError, OverflowError),
        (errors.MissingPackageError, ImportError),
        (errors.SelectionError, RuntimeError),
    ],
)
def test_pythons_own_kinds_catch_them_too(kind: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)


def test_long_lists_are_cut() -> None:
    sentence = str(errors.DataError.unknown_columns(["zz"], [f"c{j}" for j in range(40)]))
    assert "c11, ... (40 in all)" in sentence
    assert "c12" not in sentence


def test_missing_packages_are_named_with_their_extra() -> None:
    sentence = str(errors.MissingPackageError.for_extra("matplotlib", "plotting", "plots"))
    assert sentence == "plotting needs matplotlib, which is not installed: pip install 'gaussmix[plots]'"


def test_one_value_is_not_counted_and_many_are() -> None:
    assert "in all" not in str(errors.DataError.not_finite(float("nan"), 3, "1", 1))
    assert "(7 such values in all)" in str(errors.DataError.not_finite(float("inf"), 3, "1", 7))
