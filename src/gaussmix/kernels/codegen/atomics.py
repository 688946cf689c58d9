"""Atomic reads and writes of integers that threads share, and the pause between two looks at one."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gaussmix.kernels.codegen import emit
from gaussmix.kernels.library import current_level

_ALIGNMENT = 8
_ORDER = "seq_cst"

# The instruction that tells the processor that a loop waits, and its arguments.
_PAUSE = {"x86_64": ("llvm.x86.sse2.pause", []), "aarch64": ("llvm.aarch64.hint", [1])}


@intrinsic
def load_atomically(typingctx, numbers, index):
    """Return ``numbers[index]``; what its writer has written before is visible."""

    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(
            emit.element_pointer(context, builder, signature.args[0], *arguments), _ORDER, _ALIGNMENT
        )

    return types.int64(numbers, types.int64), codegen


@intrinsic
def store_atomically(typingctx, numbers, index, value):
    """Set ``numbers[index] = value``; who reads it also sees what was written before."""

    def codegen(context, builder, signature, arguments):
        numbers, index, value = arguments
        pointer = emit.element_pointer(context, builder, signature.args[0], numbers, index)
        builder.store_atomic(value, pointer, _ORDER, _ALIGNMENT)
        return context.get_dummy_value()

    return types.none(numbers, types.int64, types.int64), codegen


@intrinsic
def add_atomically(typingctx, numbers, index, value):
    """Add a value to ``numbers[index]`` and return what it was."""

    def codegen(context, builder, signature, arguments):
        numbers, index, value = arguments
        pointer = emit.element_pointer(context, builder, signature.args[0], numbers, index)
        return builder.atomic_rmw("add", pointer, value, _ORDER)

    return types.int64(numbers, types.int64, types.int64), codegen


@intrinsic
def pause(typingctx):
    """Let the other thread of the processor's core work for a moment."""

    def codegen(context, builder, signature, arguments):
        name, values = _PAUSE[current_level().architecture]
        constants = [ir.Constant(ir.IntType(32), value) for value in values]
        kind = ir.FunctionType(ir.VoidType(), [constant.type for constant in constants])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), constants)
        return context.get_dummy_value()

    return types.none(), codegen
