"""How every kernel is compiled: without the interpreter's lock, without reference counts, with IEEE arithmetic.

Kernels allocate nothing, so that they need no reference counts; those would cost more than the
arithmetic of a small tile. Nobody but other kernels calls one: only an ``entry`` gets the code that
unpacks Python's objects, which would else be a third of all that is compiled, and only an entry is kept on disk,
with all kernels it calls compiled into it.
"""

from numba import config, njit

from gaussmix.engines.kernels.cache import CodeCache

if config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT is set, and kernels cannot run uncompiled")

kernel = njit(nogil=True, error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def entry(function):
    """A kernel that Python calls; compiled once for each machine."""
    dispatcher = njit(nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)(function)
    dispatcher._cache = CodeCache(function.__name__)
    return dispatcher
