"""Import scikit-learn's own test modules with our classes in place of theirs."""

import importlib
import sys
from types import ModuleType


def import_with_own_classes(test_module_name: str, package: ModuleType, *own_classes: type) -> ModuleType:
    """Return a test module that was imported while ``package`` had our classes under their names."""
    theirs = {own_class.__name__: getattr(package, own_class.__name__) for own_class in own_classes}
    for own_class in own_classes:
        setattr(package, own_class.__name__, own_class)
    try:
        sys.modules.pop(test_module_name, None)
        return importlib.import_module(test_module_name)
    finally:
        for name, their_class in theirs.items():
            setattr(package, name, their_class)
