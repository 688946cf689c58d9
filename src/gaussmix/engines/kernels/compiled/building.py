"""An entry and all kernels it calls as one object file, with a function of C that any program can call.

The function takes a pointer to words for each tuple (see ``kernels/words.py``), and numbers as they are. Nothing in
the file refers to Numba or to Python.
"""

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock

from gaussmix.engines.kernels.compiled.arguments import read, type_of
from gaussmix.engines.kernels.compiled.parts import parts_of

_WORD, _DOUBLE = ir.IntType(64), ir.DoubleType()
_LIBRARY = {"memset", "memcpy", "memmove", "bzero", "pow", "fmod", "exp", "log", "sqrt", "floor", "ceil", "fma"}
"""Functions of C's own library, which every process has."""


@global_compiler_lock
def object_of(kernel, symbol, layouts, base=b""):
    """The object file of an entry for arguments of these types; its function of C is called ``symbol``.

    What the object file ``base`` has to share is not compiled again: the two are loaded together.
    """
    kinds = [type_of(layout) for layout in layouts]
    kernel.compile(tuple(kinds))
    compiled = kernel.overloads[tuple(kinds)]
    codegen = compiled.target_context.codegen()
    module = llvm.parse_assembly(str(_callable_from_c(compiled, symbol, kinds, layouts)))
    parts, shared = parts_of(compiled.library, base)
    for part in parts:
        module.link_in(part)
    _keep_to_itself(module, symbol, shared)
    module.data_layout = codegen._data_layout
    _optimise(module, codegen._tm, 2 if base else 3)  # the base does the arithmetic
    _check(module, shared)
    return codegen._tm.emit_object(module)


def _callable_from_c(compiled, symbol, kinds, layouts):
    """A module with the function that takes words and numbers, and calls the compiled one."""
    context, description = compiled.target_context, compiled.fndesc
    module = context.codegen()._create_empty_module(symbol)
    takes = [{"d": _DOUBLE, "q": _WORD, "b": _WORD}.get(layout, _WORD.as_pointer()) for layout in layouts]
    function = ir.Function(module, ir.FunctionType(_WORD, takes), symbol)
    builder = ir.IRBuilder(function.append_basic_block())
    given = [_argument(context, builder, *pair) for pair in zip(function.args, kinds, strict=True)]
    callee = context.declare_function(module, description)
    _, result = context.call_conv.call_function(builder, callee, description.restype, description.argtypes, given)
    gives = description.restype not in (types.none, types.void)
    builder.ret(context.cast(builder, result, description.restype, types.int64) if gives else ir.Constant(_WORD, 0))
    return module


def _argument(context, builder, given, kind):
    """What the compiled function takes: a number, an array that words describe, or the words themselves."""
    if isinstance(kind, types.Boolean):
        return builder.trunc(given, ir.IntType(1))
    return read(context, builder, given, 0, kind) if isinstance(kind, types.Array) else given


def _keep_to_itself(module, symbol, shared):
    """Only the function of C and what is shared can be called from elsewhere, so that what these do not need goes."""
    for part in [*module.functions, *module.global_variables]:
        if part.name in shared:
            part.name = shared[part.name]
        elif not part.is_declaration and part.name != symbol:
            part.linkage = "internal"


def _optimise(module, machine, speed):
    """LLVM's usual passes but for those that look for vectors: kernels that need them say so themselves."""
    options = llvm.PipelineTuningOptions(speed_level=speed)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    module.verify()


def _check(module, shared):
    """Nothing may be called that another process might not have."""
    foreign = {part.name for part in [*module.functions, *module.global_variables] if part.is_declaration}
    foreign = {name for name in foreign - _LIBRARY - set(shared.values()) if not name.startswith("llvm.")}
    if foreign:
        raise RuntimeError(f"compiled code needs {', '.join(sorted(foreign))}")
