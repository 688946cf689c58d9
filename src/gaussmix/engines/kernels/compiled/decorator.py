"""How every kernel is compiled: without the interpreter's lock, without reference counts, with IEEE arithmetic.

Kernels allocate nothing, so that they need no reference counts; those would cost more than the
arithmetic of a small tile. Only other compiled code may call a ``kernel``: the code that unpacks Python's
objects would be a third of all that is compiled, so only an ``entry`` has it, and Python crashes where it
calls a kernel. Only entries are kept on disk, with all the kernels they call compiled into them.
"""

import gc

from numba import config, njit

from gaussmix.engines.kernels.cache import CodeCache
from gaussmix.engines.kernels.parts import PartCompiler

if config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT is set, and kernels cannot run uncompiled")

_SETTINGS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}

kernel = njit(**_SETTINGS, no_cpython_wrapper=True, pipeline_class=PartCompiler)


def entry(function):
    """A kernel that Python calls; compiled once for each machine."""
    dispatcher = njit(**_SETTINGS)(function)
    dispatcher._cache = CodeCache(function.__name__)
    compile_ = dispatcher.compile

    def compile_without_collecting(signature):
        """Compiling makes millions of objects that live till its end: collecting garbage meanwhile finds none."""
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return compile_(signature)
        finally:
            if was_enabled:
                gc.enable()

    dispatcher.compile = compile_without_collecting
    return dispatcher
