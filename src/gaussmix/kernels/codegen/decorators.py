"""Decorators that compile kernels: without the interpreter's lock and reference counts, with IEEE arithmetic.

Kernels allocate nothing, so they need no reference counts, which would cost more than the arithmetic of a
small tile. Only compiled code may call a ``kernel``; a call from Python crashes. Python calls an
``entry_point`` through the C function that `object_building` makes of it (see `compiled_functions`).
"""

from numba import njit, types

from gaussmix.kernels.codegen.linking import KernelCompiler

_kernel_jit = njit(
    nogil=True,
    error_model="numpy",
    _nrt=False,
    no_cfunc_wrapper=True,
    no_cpython_wrapper=True,
    pipeline_class=KernelCompiler,
)


def kernel(function):
    """Compile a function for other compiled code; literal arguments do not create further versions."""
    dispatcher = _kernel_jit(function)
    template = dispatcher.get_call_template

    def without_constants(arguments, named):
        named = {name: types.unliteral(kind) for name, kind in named.items()}
        return template([types.unliteral(kind) for kind in arguments], named)

    dispatcher.get_call_template = without_constants
    return dispatcher


entry_point = kernel
