"""Build the object file of a compiled function and all kernels it calls, with a C function as entry.

The C function takes a pointer to words for each argument tuple (see `packed_arguments`), and numbers by
value. The file refers neither to Numba nor to Python.
"""

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock

from gaussmix.engines.kernels.codegen.argument_types import argument_type, load_argument
from gaussmix.engines.kernels.codegen.linking import collect_modules

_WORD_TYPE, _DOUBLE_TYPE = ir.IntType(64), ir.DoubleType()
# Functions of the C library, which every process has.
_C_LIBRARY_FUNCTIONS = {
    "memset",
    "memcpy",
    "memmove",
    "bzero",
    "pow",
    "fmod",
    "exp",
    "log",
    "sqrt",
    "floor",
    "ceil",
    "fma",
}


@global_compiler_lock
def build_object_file(kernel, symbol, layouts, base_object_file=b""):
    """Return the object file of a kernel for arguments with these layouts; its C function is ``symbol``.

    Kernels that ``base_object_file`` shares are not compiled again: both files are loaded together.
    """
    numba_types = [argument_type(layout) for layout in layouts]
    kernel.compile(tuple(numba_types))
    compiled = kernel.overloads[tuple(numba_types)]
    codegen = compiled.target_context.codegen()
    module = llvm.parse_assembly(str(_build_c_wrapper(compiled, symbol, numba_types, layouts)))
    modules, shared_names = collect_modules(compiled.library, base_object_file)
    for library_module in modules:
        module.link_in(library_module)
    _make_symbols_internal(module, symbol, shared_names)
    module.data_layout = codegen._data_layout
    _optimize(module, codegen._tm, 2 if base_object_file else 3)  # most arithmetic is in the base
    _check_external_symbols(module, shared_names)
    return codegen._tm.emit_object(module)


def _build_c_wrapper(compiled, symbol, numba_types, layouts):
    """Return a module with the C function, which calls the compiled kernel."""
    context, description = compiled.target_context, compiled.fndesc
    module = context.codegen()._create_empty_module(symbol)
    c_types = [
        {"d": _DOUBLE_TYPE, "q": _WORD_TYPE, "b": _WORD_TYPE}.get(layout, _WORD_TYPE.as_pointer()) for layout in layouts
    ]
    function = ir.Function(module, ir.FunctionType(_WORD_TYPE, c_types), symbol)
    builder = ir.IRBuilder(function.append_basic_block())
    arguments = [_convert_c_argument(context, builder, *pair) for pair in zip(function.args, numba_types, strict=True)]
    callee = context.declare_function(module, description)
    _, result = context.call_conv.call_function(builder, callee, description.restype, description.argtypes, arguments)
    has_result = description.restype not in (types.none, types.void)
    builder.ret(
        context.cast(builder, result, description.restype, types.int64) if has_result else ir.Constant(_WORD_TYPE, 0)
    )
    return module


def _convert_c_argument(context, builder, c_argument, numba_type):
    """Return the kernel's argument: a number, an array, or a pointer to words."""
    if isinstance(numba_type, types.Boolean):
        return builder.trunc(c_argument, ir.IntType(1))
    return (
        load_argument(context, builder, c_argument, 0, numba_type)
        if isinstance(numba_type, types.Array)
        else c_argument
    )


def _make_symbols_internal(module, symbol, shared_names):
    """Make all symbols internal but the C function and the shared kernels, so that unused code is removed."""
    for value in [*module.functions, *module.global_variables]:
        if value.name in shared_names:
            value.name = shared_names[value.name]
        elif not value.is_declaration and value.name != symbol:
            value.linkage = "internal"


def _optimize(module, machine, speed_level):
    """Run LLVM's usual passes without automatic vectorization; kernels vectorize explicitly."""
    options = llvm.PipelineTuningOptions(speed_level=speed_level)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    module.verify()


def _check_external_symbols(module, shared_names):
    """Raise RuntimeError if the code needs a symbol that another process may lack."""
    external = {value.name for value in [*module.functions, *module.global_variables] if value.is_declaration}
    external = {
        name for name in external - _C_LIBRARY_FUNCTIONS - set(shared_names.values()) if not name.startswith("llvm.")
    }
    if external:
        raise RuntimeError(f"compiled code needs {', '.join(sorted(external))}")
