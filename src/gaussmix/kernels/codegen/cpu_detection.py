"""Emit the function that finds the level of the processor, from what the instruction CPUID says.

It returns the position of the level among those of the architecture (`cpu_levels`). A level needs its instructions,
and an operating system that saves the wider registers (XGETBV). The bits are those of Intel's manual, volume 2A, CPUID.
"""

import llvmlite.binding as llvm
from llvmlite import ir

from gaussmix.kernels.codegen.object_building import compile_module
from gaussmix.kernels.library import DETECT_SYMBOL

_I32, _I64 = ir.IntType(32), ir.IntType(64)

# Registers of CPUID's answer.
_EBX, _ECX = 1, 2


def _bits(*positions):
    """Return the number in which these bits are set."""
    return sum(1 << position for position in positions)


# Leaf 1, ECX: FMA, SSE4.1, SSE4.2, MOVBE, POPCNT, OSXSAVE, AVX, F16C.
_LEAF_1_OF_V3 = _bits(12, 19, 20, 22, 23, 27, 28, 29)
# Leaf 7, EBX: BMI1, AVX2, BMI2; and AVX-512 F, DQ, CD, BW, VL.
_LEAF_7_OF_V3, _LEAF_7_OF_V4 = _bits(3, 5, 8), _bits(16, 17, 28, 30, 31)
# Leaf 0x80000001, ECX: LZCNT.
_EXTENDED_LEAF_OF_V3 = _bits(5)
# XCR0: registers of 128 and 256 bits; masks and registers of 512 bits.
_SAVED_OF_V3, _SAVED_OF_V4 = _bits(1, 2), _bits(5, 6, 7)


def build_object_file(triple, machine):
    """Return the object file of a function without arguments that returns the position of the processor's level."""
    module = llvm.parse_assembly(str(_build_detection_module(triple)))
    return compile_module(module, machine, {DETECT_SYMBOL})


def _build_detection_module(triple):
    """Return the function as LLVM code."""
    module = ir.Module(DETECT_SYMBOL)
    function = ir.Function(module, ir.FunctionType(_I64, []), DETECT_SYMBOL)
    start = ir.IRBuilder(function.append_basic_block())
    if not triple.startswith("x86_64"):
        start.ret(_I64(0))
        return module
    extended, end = function.append_basic_block(), function.append_basic_block()
    last_leaf = _cpuid(start, 0, 0)
    leaf_1 = _cpuid(start, 1, _ECX)
    # XGETBV is an instruction only where OSXSAVE is set.
    can_go_on = start.and_(start.icmp_unsigned(">=", last_leaf, _I32(7)), _has(start, leaf_1, _LEAF_1_OF_V3))
    start.cbranch(can_go_on, extended, end)
    more = ir.IRBuilder(extended)
    saved, leaf_7 = _xgetbv(more), _cpuid(more, 7, _EBX)
    is_v3 = _all_of(
        more,
        _has(more, leaf_7, _LEAF_7_OF_V3),
        _has(more, _cpuid(more, 0x80000001, _ECX), _EXTENDED_LEAF_OF_V3),
        _has(more, saved, _SAVED_OF_V3),
    )
    is_v4 = _all_of(more, is_v3, _has(more, leaf_7, _LEAF_7_OF_V4), _has(more, saved, _SAVED_OF_V4))
    level = more.add(more.zext(is_v3, _I64), more.zext(is_v4, _I64))
    more.branch(end)
    last = ir.IRBuilder(end)
    found = last.phi(_I64)
    found.add_incoming(_I64(0), start.block)
    found.add_incoming(level, extended)
    last.ret(found)
    return module


def _cpuid(builder, leaf, register):
    """Emit CPUID for a leaf and its first subleaf, and return one register of the answer."""
    answer_type = ir.LiteralStructType([_I32] * 4)
    kind = ir.FunctionType(answer_type, [_I32, _I32])
    answer = builder.asm(kind, "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx}", [_I32(leaf), _I32(0)], side_effect=True)
    return builder.extract_value(answer, register)


def _xgetbv(builder):
    """Emit XGETBV and return the lower half of XCR0."""
    answer_type = ir.LiteralStructType([_I32] * 2)
    kind = ir.FunctionType(answer_type, [_I32])
    answer = builder.asm(kind, "xgetbv", "={ax},={dx},{cx}", [_I32(0)], side_effect=True)
    return builder.extract_value(answer, 0)


def _has(builder, number, bits):
    """Return whether all bits are set in a number."""
    return builder.icmp_unsigned("==", builder.and_(number, _I32(bits)), _I32(bits))


def _all_of(builder, first, *others):
    """Return whether all conditions hold."""
    for other in others:
        first = builder.and_(first, other)
    return first
