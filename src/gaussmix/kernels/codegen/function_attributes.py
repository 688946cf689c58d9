"""Attributes that a kernel requests from LLVM for itself."""

from numba.core import types
from numba.extending import intrinsic


@intrinsic
def request_full_width(typingctx):
    """Request the machine's full register width for the calling function."""

    def codegen(context, builder, signature, arguments):
        # llvmlite accepts only the attributes it knows; set.add bypasses this check for an attribute of LLVM.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), codegen


@intrinsic
def request_inlining(typingctx):
    """Request that the calling function is inlined into its callers: copying a long argument tuple costs more."""

    def codegen(context, builder, signature, arguments):
        builder.function.attributes.add("alwaysinline")
        return context.get_dummy_value()

    return types.none(), codegen
