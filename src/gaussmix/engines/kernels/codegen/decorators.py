"""How every kernel is compiled: without the interpreter's lock, without reference counts, with IEEE arithmetic.

Kernels allocate nothing, so that they need no reference counts; those would cost more than the
arithmetic of a small tile. A ``kernel`` is called by other compiled code only: Python crashes where it
calls one. What Python calls is an ``entry``, through the function of C that ``building`` makes of it (see
``kernels/entries.py``).
"""

from numba import njit, types

from gaussmix.engines.kernels.codegen.linking import KernelCompiler

_kernel_jit = njit(
    nogil=True,
    error_model="numpy",
    _nrt=False,
    no_cfunc_wrapper=True,
    no_cpython_wrapper=True,
    pipeline_class=KernelCompiler,
)


def kernel(function):
    """A function that other compiled code calls; constants among its arguments do not make another version of it."""
    dispatcher = _kernel_jit(function)
    template = dispatcher.get_call_template

    def without_constants(arguments, named):
        named = {name: types.unliteral(kind) for name, kind in named.items()}
        return template([types.unliteral(kind) for kind in arguments], named)

    dispatcher.get_call_template = without_constants
    return dispatcher


entry_point = kernel
