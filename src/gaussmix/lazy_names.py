"""Public names of packages, each loaded when it is first used.

A package that imported all its modules would load them for everyone: a page about a mixture does not need the filters
of moving objects. A stub ``__init__.pyi`` beside each such package tells the same names to type checkers.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any


def export_lazily(
    package: str, names_by_module: dict[str, list[str]]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__all__``, ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        Name of the package.
    names_by_module : dict of str to list of str
        Public names by the module that defines them. The name of a module of the package itself means that module. No
        other name may be that of a module of the package, because an import of it would replace the name.
    """
    module_of_name = {name: module for module, names in names_by_module.items() for name in names}

    def load_name(name: str) -> Any:
        if name not in module_of_name:
            public_names = ", ".join(module_of_name)
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {public_names}")
        module = importlib.import_module(module_of_name[name])
        value = module if module.__name__ == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    return list(module_of_name), load_name, lambda: sorted(module_of_name)
