"""An entry and all kernels it calls as one object file, with a function of C that any program can call.

The function takes a pointer to words for each tuple (see ``kernels/words.py``), and numbers as they are. Nothing in
the file refers to Numba or to Python.
"""

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock

from gaussmix.engines.kernels.codegen.argument_types import argument_type, load_argument
from gaussmix.engines.kernels.codegen.linking import collect_modules

_WORD_TYPE, _DOUBLE_TYPE = ir.IntType(64), ir.DoubleType()
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
"""Functions of C's own library, which every process has."""


@global_compiler_lock
def build_object_file(kernel, symbol, layouts, base_object_file=b""):
    """The object file of an entry for arguments of these types; its function of C is called ``symbol``.

    What the object file ``base`` has to share is not compiled again: the two are loaded together.
    """
    kinds = [argument_type(layout) for layout in layouts]
    kernel.compile(tuple(kinds))
    compiled = kernel.overloads[tuple(kinds)]
    codegen = compiled.target_context.codegen()
    module = llvm.parse_assembly(str(_build_c_wrapper(compiled, symbol, kinds, layouts)))
    parts, shared = collect_modules(compiled.library, base_object_file)
    for part in parts:
        module.link_in(part)
    _make_symbols_internal(module, symbol, shared)
    module.data_layout = codegen._data_layout
    _optimize(module, codegen._tm, 2 if base_object_file else 3)  # the base does the arithmetic
    _check_external_symbols(module, shared)
    return codegen._tm.emit_object(module)


def _build_c_wrapper(compiled, symbol, numba_types, layouts):
    """A module with the function that takes words and numbers, and calls the compiled one."""
    context, description = compiled.target_context, compiled.fndesc
    module = context.codegen()._create_empty_module(symbol)
    takes = [
        {"d": _DOUBLE_TYPE, "q": _WORD_TYPE, "b": _WORD_TYPE}.get(layout, _WORD_TYPE.as_pointer()) for layout in layouts
    ]
    function = ir.Function(module, ir.FunctionType(_WORD_TYPE, takes), symbol)
    builder = ir.IRBuilder(function.append_basic_block())
    given = [_convert_c_argument(context, builder, *pair) for pair in zip(function.args, numba_types, strict=True)]
    callee = context.declare_function(module, description)
    _, result = context.call_conv.call_function(builder, callee, description.restype, description.argtypes, given)
    gives = description.restype not in (types.none, types.void)
    builder.ret(
        context.cast(builder, result, description.restype, types.int64) if gives else ir.Constant(_WORD_TYPE, 0)
    )
    return module


def _convert_c_argument(context, builder, c_argument, numba_type):
    """What the compiled function takes: a number, an array that words describe, or the words themselves."""
    if isinstance(numba_type, types.Boolean):
        return builder.trunc(c_argument, ir.IntType(1))
    return (
        load_argument(context, builder, c_argument, 0, numba_type)
        if isinstance(numba_type, types.Array)
        else c_argument
    )


def _make_symbols_internal(module, symbol, shared_names):
    """Only the function of C and what is shared can be called from elsewhere, so that what these do not need goes."""
    for part in [*module.functions, *module.global_variables]:
        if part.name in shared_names:
            part.name = shared_names[part.name]
        elif not part.is_declaration and part.name != symbol:
            part.linkage = "internal"


def _optimize(module, machine, speed_level):
    """LLVM's usual passes but for those that look for vectors: kernels that need them say so themselves."""
    options = llvm.PipelineTuningOptions(speed_level=speed_level)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    module.verify()


def _check_external_symbols(module, shared_names):
    """Nothing may be called that another process might not have."""
    foreign = {part.name for part in [*module.functions, *module.global_variables] if part.is_declaration}
    foreign = {
        name for name in foreign - _C_LIBRARY_FUNCTIONS - set(shared_names.values()) if not name.startswith("llvm.")
    }
    if foreign:
        raise RuntimeError(f"compiled code needs {', '.join(sorted(foreign))}")
