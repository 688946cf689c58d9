"""Build an object file of compiled functions and all kernels they call, with a C function for each version.

A C function takes a pointer to words for each argument tuple (see `packed_arguments`), and numbers by
value. The file refers neither to Numba nor to Python.
"""

from typing import NamedTuple

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock

from gaussmix.kernels.codegen.argument_types import argument_type, load_argument
from gaussmix.kernels.codegen.linking import collect_modules

_WORD_TYPE, _DOUBLE_TYPE = ir.IntType(64), ir.DoubleType()
# Functions of the C library that LLVM calls on its own.
C_LIBRARY_FUNCTIONS = frozenset({"memset", "memcpy", "memmove", "bzero"})


class EntryPoint(NamedTuple):
    """A kernel to compile for arguments with these layouts, and the name of its C function."""

    kernel: object
    symbol: str
    layouts: tuple


def make_machine(triple, cpu):
    """Return LLVM's target machine for code of a shared library."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    llvm.initialize_native_asmparser()  # for instructions that only assembly names
    return llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, opt=3, reloc="pic", codemodel="small")


@global_compiler_lock
def build_object_file(entry_points, machine):
    """Return an object file of all entry points for an LLVM target machine."""
    module, libraries = llvm.parse_assembly(""), []
    for entry_point in entry_points:
        numba_types = tuple(argument_type(layout) for layout in entry_point.layouts)
        entry_point.kernel.compile(numba_types)
        compiled = entry_point.kernel.overloads[numba_types]
        libraries.append(compiled.library)
        module.link_in(llvm.parse_assembly(str(_build_c_wrapper(compiled, entry_point, numba_types))))
    for library_module in collect_modules(libraries):
        module.link_in(library_module)
    return compile_module(module, machine, {entry_point.symbol for entry_point in entry_points})


def compile_module(module, machine, exported_symbols):
    """Optimize a module and return its object file; raise RuntimeError if it needs a symbol that no process has."""
    for value in [*module.functions, *module.global_variables]:
        if not value.is_declaration and value.name not in exported_symbols:
            value.linkage = "internal"  # so that unused code is removed
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    _optimize(module, machine)
    _check_external_symbols(module)
    return machine.emit_object(module)


def _build_c_wrapper(compiled, entry_point, numba_types):
    """Return a module with the C function, which calls the compiled kernel."""
    context, description = compiled.target_context, compiled.fndesc
    module = context.codegen()._create_empty_module(entry_point.symbol)
    c_types = [
        {"d": _DOUBLE_TYPE, "q": _WORD_TYPE, "b": _WORD_TYPE}.get(layout, _WORD_TYPE.as_pointer())
        for layout in entry_point.layouts
    ]
    function = ir.Function(module, ir.FunctionType(_WORD_TYPE, c_types), entry_point.symbol)
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


def _optimize(module, machine):
    """Run LLVM's usual passes without automatic vectorization; kernels vectorize explicitly."""
    options = llvm.PipelineTuningOptions(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    module.verify()


def _check_external_symbols(module):
    """Raise RuntimeError if the code needs a symbol that another process may lack."""
    external = {value.name for value in [*module.functions, *module.global_variables] if value.is_declaration}
    external = {name for name in external - C_LIBRARY_FUNCTIONS if not name.startswith("llvm.")}
    if external:
        raise RuntimeError(f"compiled code needs {', '.join(sorted(external))}")
