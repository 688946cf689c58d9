"""The compiled functions that Python calls: found on disk, or else compiled, when they are first called.

Each has one version for every combination of argument types that it meets. Only where a version is missing
is Numba imported, with everything that is written for it.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_char_p, c_double, c_int64
from importlib import import_module
from typing import Any, cast

import numpy as np

from gaussmix.engines.kernels import cache
from gaussmix.engines.kernels.objects import load
from gaussmix.engines.kernels.words import Words, number_code, words_of
from gaussmix.errors import UncompilableError

if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
    raise ImportError("NUMBA_DISABLE_JIT is set, and kernels cannot run uncompiled")

Layouts = tuple[str, ...]
"""The types of all arguments (see `Words`)."""

_lock = threading.RLock()
"""Held while code is loaded or compiled: whoever needs the same code waits for it."""


class Entry:
    """A compiled function of tuples (as `Words`), arrays and numbers; gives an integer, 0 where it gives nothing.

    Calls let go of the interpreter's lock. ``source`` gives the function as Numba knows it; ``base`` another entry
    whose kernels it shares, and the types of that one's arguments for those of its own.
    """

    def __init__(
        self, name: str, source: Callable[[], Any], base: tuple["Entry", Callable[..., Layouts]] | None = None
    ) -> None:
        self._name, self._source, self._base = name, source, base
        self._versions: dict[Layouts, Callable[..., int]] = {}
        self._seen: dict[tuple[str | type, ...], Callable[..., int]] = {}
        self._failure: Exception | None = None

    def __call__(self, *arguments: Any) -> int:
        # Blocks of few rows are called for by the thousand: what they have in common is looked up in one step.
        seen = self._seen.get(tuple([each.layout if type(each) is Words else type(each) for each in arguments]))
        if seen is None:
            return self._first_call(arguments)
        return seen(*[each.content if type(each) is Words else each for each in arguments])

    def _first_call(self, arguments: tuple[Any, ...]) -> int:
        """A call with types not seen before, or with arrays, whose types do not tell everything."""
        layouts, passed = [], []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument = words_of((argument,))
            if type(argument) is Words:
                layouts.append(argument.layout)
                passed.append(argument.content)
            else:
                layouts.append(number_code(argument))
                passed.append(argument)
        version = self._versions.get(tuple(layouts)) or self._new_version(tuple(layouts))
        kinds = tuple([each.layout if type(each) is Words else type(each) for each in arguments])
        if np.ndarray not in kinds:
            self._seen[kinds] = version
        return version(*passed)

    def _new_version(self, layouts: Layouts) -> Callable[..., int]:
        """Whatever goes wrong goes wrong again: it is tried once."""
        with _lock:
            if layouts not in self._versions and self._failure is None:
                try:
                    self._versions[layouts] = _prototype(layouts)(load(self._codes(layouts), self._name))
                except Exception as reason:  # a missing, damaged or future Numba can raise anything
                    self._failure = reason.with_traceback(None)  # its frames hold rows
            if layouts in self._versions:
                return self._versions[layouts]
            failure = cast(Exception, self._failure)
            raise UncompilableError.because(failure) from failure

    def _codes(self, layouts: Layouts) -> list[bytes]:
        """The object files of a version: its own, and the one that this refers to."""
        base = self._base[0]._codes(self._base[1](*layouts)) if self._base else []
        name = cache.file_name(self._name, layouts)
        code = cache.find(name)
        if code is None:
            with _no_collecting():
                building = import_module("gaussmix.engines.kernels.compiled.building")
                code = cast(bytes, building.object_of(self._source(), self._name, layouts, b"".join(base)))
            cache.keep(name, code)
        return [code, *base]


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Compiling makes millions of objects that live till its end: collecting garbage meanwhile finds none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _prototype(layouts: Layouts) -> Any:
    """The type of C's function for arguments of these types."""
    numbers: dict[str, Any] = {"d": c_double, "q": c_int64, "b": c_int64}
    return CFUNCTYPE(c_int64, *[numbers.get(layout, c_char_p) for layout in layouts])


def _kernel_in(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(f"gaussmix.engines.kernels.compiled.{module}"), name)


def _of_the_full_pass(
    rows: str, n_rows: str, model: str, tile: str, screen: str, sieve: str, kind: str, hard: str, *rest: str
) -> Layouts:
    """Types of the arguments of a full pass that goes with a screened one."""
    return (rows, n_rows, n_rows, model, tile, kind, hard, "d", *rest)


full_pass = Entry("full_pass", _kernel_in("full", "full_pass"))
screened_pass = Entry("screened_pass", _kernel_in("screened", "screened_pass"), (full_pass, _of_the_full_pass))
mark_open = Entry("mark_open", _kernel_in("pairing", "mark_open"))
fill_lists = Entry("fill_lists", _kernel_in("pairing", "fill_lists"))
whole_run = Entry("whole_run", _kernel_in("whole", "whole_run"))
