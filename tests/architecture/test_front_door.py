"""The names on the front door: each opens, each is typed, and the version can be compared."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable

import pytest

import gaussmix
from tests.architecture.rooms import MODULES, ROOT, Module

NAMES = gaussmix.__all__


def _stub_names() -> set[str]:
    tree = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imported for alias in node.names}


@pytest.mark.parametrize("name", NAMES)
def test_exported_name_opens(name: str) -> None:
    try:
        value = getattr(gaussmix, name)
    except gaussmix.MissingPackageError:
        pytest.skip("needs an optional package")
    assert value is getattr(gaussmix, name), "a name must stay the same object"


def test_the_stub_tells_the_same_names() -> None:
    assert _stub_names() == set(gaussmix.__all__)
    assert set(dir(gaussmix)) == set(gaussmix.__all__)


def test_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(AttributeError, match="no attribute 'GausianMixture'; it has GaussianMixture"):
        gaussmix.GausianMixture  # type: ignore[attr-defined]


def test_version_is_semantic() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", gaussmix.__version__)


@pytest.mark.parametrize("name", NAMES)
def test_public_methods_are_documented(name: str) -> None:
    value = getattr(gaussmix, name)
    if not inspect.isclass(value) or issubclass(value, Exception):
        return
    own = {key: member for key, member in vars(value).items() if not key.startswith("_")}
    plain = [key for key, member in own.items() if inspect.isfunction(member) or isinstance(member, classmethod)]
    missing = [key for key in plain if not inspect.getdoc(getattr(value, key))]
    assert not missing, f"{name}: {missing} have no docstring"


@pytest.mark.parametrize(
    "module", [module for module in MODULES if ">>>" in module.text], ids=lambda module: module.name
)
def test_examples_in_docstrings_come_true(module: Module) -> None:
    dotted = "gaussmix." + module.name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    outcome = doctest.testmod(importlib.import_module(dotted))
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize(
    "function",
    [
        gaussmix.select,
        gaussmix.compare,
        gaussmix.bootstrap_test,
        gaussmix.GaussianMixture.fit,
        gaussmix.GaussianMixture,
    ],
)
def test_help_shows_short_signatures(function: Callable[..., object]) -> None:
    signature = str(inspect.signature(function))
    assert "ArrayLike" in signature
    assert "numpy._typing" not in signature
    assert "Union" not in signature
