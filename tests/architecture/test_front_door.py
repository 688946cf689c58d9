"""The names on the front door: each opens, each is typed, and the version can be compared."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

import gaussmix
from tests.architecture.rooms import MODULES, ROOT, Module

NAMES = gaussmix.__all__


LAZY_PACKAGES = ["gaussmix", *sorted(f"gaussmix.{path.parent.name}" for path in ROOT.glob("*/__init__.pyi"))]


def _stub_names(package: str) -> dict[str, str]:
    """Return the module of each name in the stub of a package."""
    path = ROOT.joinpath(*package.split(".")[1:], "__init__.pyi")
    imported = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: node.module or "" for node in imported for alias in node.names}


@pytest.mark.parametrize("name", NAMES)
def test_exported_name_opens(name: str) -> None:
    try:
        value = getattr(gaussmix, name)
    except gaussmix.MissingPackageError:
        pytest.skip("needs an optional package")
    assert value is getattr(gaussmix, name), "a name must stay the same object"


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_the_stub_tells_the_same_names(package: str) -> None:
    opened = importlib.import_module(package)
    stub = _stub_names(package)
    assert set(stub) == set(opened.__all__)
    assert set(dir(opened)) == set(opened.__all__)
    for name, module in stub.items():
        assert getattr(opened, name) is getattr(importlib.import_module(module), name), name


@pytest.mark.parametrize("package", LAZY_PACKAGES)
def test_lazy_names_are_not_those_of_other_modules(package: str) -> None:
    """The import of a module would replace the name by the module."""
    opened = importlib.import_module(package)
    modules = {module.name for module in pkgutil.iter_modules(opened.__path__)}
    assert not {name for name in modules & set(opened.__all__) if not inspect.ismodule(getattr(opened, name))}


def test_a_lazy_package_loads_no_module() -> None:
    names = ", ".join(LAZY_PACKAGES)
    code = f"import sys, {names}; print([name for name in sys.modules if name.startswith('gaussmix')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(done.stdout)) == {*LAZY_PACKAGES, "gaussmix.lazy_names"}


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
