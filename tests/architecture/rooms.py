"""The source files as the room rules see them: where each stands, and what it says."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import gaussmix

ROOT = Path(gaussmix.__file__).parent

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path

    @property
    def name(self) -> str:
        """The path below the package: 'core/moments.py'."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        """The folder on its floor, or the module itself where it lies at the top: 'core', 'errors'."""
        return self.name.split("/")[0].removesuffix(".py")

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def calls(self) -> Iterator[tuple[str, int]]:
        """Every call as the dotted name it is written with, and its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno

    def mentions(self) -> Iterator[tuple[str, int]]:
        """Every dotted name, called or only handed on, and its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Name):
                yield ast.unparse(node), node.lineno

    def identifiers(self) -> Iterator[tuple[str, int]]:
        """Every name the file gives or uses: variables, arguments, attributes, functions, classes."""
        for node in ast.walk(self.tree):
            for field in ("id", "arg", "attr", "name", "asname"):
                value = getattr(node, field, None)
                if isinstance(value, str):
                    yield value, getattr(node, "lineno", 0)

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every module that is imported, anywhere in the file but for the type checker alone."""
        for node in _loaded(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module, node.lineno


def _loaded(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that Python itself can reach, without what stands under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            yield node
            yield from _loaded(node)


def words(identifier: str) -> set[str]:
    """The words of an identifier, in lower case; a lone capital letter stays one."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", identifier)
    return {part if len(part) == 1 else part.lower() for part in parts}


def own_lines(function: Function) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def is_property(function: Function) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in function.decorator_list)


MODULES = [Module(path) for path in sorted(ROOT.rglob("*.py"))]
