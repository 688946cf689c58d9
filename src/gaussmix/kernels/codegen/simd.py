"""SIMD registers as values inside kernels.

REGISTER_TYPE is one register, ``UniTuple(REGISTER_TYPE, n)`` several. Every function here is one
instruction or a short unrolled sequence (see `emit`). An index counts elements of the flattened array,
which must be contiguous.
"""

from numba.core import types
from numba.extending import intrinsic, models, register_model

from gaussmix.kernels.codegen import emit


class RegisterType(types.Type):
    """The Numba type of one register of doubles."""

    def __init__(self):
        super().__init__(name=f"Lanes{emit.SIMD_WIDTH}")


@register_model(RegisterType)
class _RegisterModel(models.PrimitiveModel):
    """The LLVM representation of a register."""

    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, emit.VECTOR_TYPE)


REGISTER_TYPE = RegisterType()


def register_tuple_type(count):
    """Return the Numba type of ``count`` registers."""
    return types.UniTuple(REGISTER_TYPE, count)


def pack_registers(context, builder, values):
    """Return registers as one tuple value."""
    return context.make_tuple(builder, register_tuple_type(len(values)), values)


def _make_elementwise(operation, n_arguments):
    """Return an intrinsic that applies an operation lane by lane."""
    signature = REGISTER_TYPE(*[REGISTER_TYPE] * n_arguments)

    def codegen(context, builder, _, arguments):
        return operation(builder, *arguments)

    if n_arguments == 1:
        return intrinsic(lambda typingctx, a: (signature, codegen))
    if n_arguments == 2:
        return intrinsic(lambda typingctx, a, b: (signature, codegen))
    if n_arguments == 3:
        return intrinsic(lambda typingctx, a, b, c: (signature, codegen))
    return intrinsic(lambda typingctx, a, b, c, d: (signature, codegen))


add = _make_elementwise(lambda builder, a, b: builder.fadd(a, b), 2)
subtract = _make_elementwise(lambda builder, a, b: builder.fsub(a, b), 2)
multiply = _make_elementwise(lambda builder, a, b: builder.fmul(a, b), 2)
divide = _make_elementwise(lambda builder, a, b: builder.fdiv(a, b), 2)
maximum = _make_elementwise(lambda builder, a, b: emit.select_greater(builder, a, b, a, b), 2)
fma = _make_elementwise(emit.fma, 3)
absolute = _make_elementwise(
    lambda builder, a: emit.select_greater(builder, a, emit.constant(0.0), a, builder.fneg(a)), 1
)
log = _make_elementwise(emit.log, 1)
select_greater = _make_elementwise(emit.select_greater, 4)  # select_greater(a, b, if_true, if_false)


@intrinsic
def scalar_log(typingctx, number):
    """Return the natural logarithm of one number."""
    return types.float64(types.float64), lambda context, builder, _, arguments: emit.scalar_log(builder, *arguments)


@intrinsic
def scalar_exp(typingctx, number):
    """Return the exponential of one number."""
    return types.float64(types.float64), lambda context, builder, _, arguments: emit.scalar_exp(builder, *arguments)


@intrinsic
def load(typingctx, array, index):
    """Return the register at ``array[index:]``."""

    def codegen(context, builder, signature, arguments):
        return emit.load(builder, emit.element_pointer(context, builder, signature.args[0], *arguments))

    return REGISTER_TYPE(array, types.int64), codegen


@intrinsic
def store(typingctx, array, index, vector):
    """Write a register to ``array[index:]``."""

    def codegen(context, builder, signature, arguments):
        array, index, vector = arguments
        emit.store(builder, vector, emit.element_pointer(context, builder, signature.args[0], array, index))
        return context.get_dummy_value()

    return types.none(array, types.int64, REGISTER_TYPE), codegen


@intrinsic
def get_item(typingctx, array, index):
    """Return ``array[index]`` for a non-negative index."""

    def codegen(context, builder, signature, arguments):
        return builder.load(emit.element_pointer(context, builder, signature.args[0], *arguments))

    return array.dtype(array, types.int64), codegen


@intrinsic
def set_item(typingctx, array, index, value):
    """Set ``array[index] = value`` for a non-negative index."""

    def codegen(context, builder, signature, arguments):
        array, index, value = arguments
        builder.store(value, emit.element_pointer(context, builder, signature.args[0], array, index))
        return context.get_dummy_value()

    return types.none(array, types.int64, array.dtype), codegen


@intrinsic
def splat(typingctx, scalar):
    """Return a register with the scalar in every lane."""

    def codegen(context, builder, signature, arguments):
        return emit.splat(builder, arguments[0])

    return REGISTER_TYPE(types.float64), codegen


@intrinsic
def sum_lanes(typingctx, vector):
    """Return the sum of the lanes, in a fixed order."""

    def codegen(context, builder, signature, arguments):
        return emit.reduce_lanes(builder, arguments[0], builder.fadd)

    return types.float64(REGISTER_TYPE), codegen


@intrinsic
def zero_registers(typingctx, count):
    """Return ``count`` registers of zeros; ``count`` is a literal."""
    if not isinstance(count, types.IntegerLiteral):
        return None
    n = count.literal_value

    def codegen(context, builder, signature, arguments):
        return pack_registers(context, builder, [emit.constant(0.0)] * n)

    return register_tuple_type(n)(count), codegen


@intrinsic
def max_lane(typingctx, vector):
    """Return the largest lane."""

    def codegen(context, builder, signature, arguments):
        turned = emit.reduce_lanes(builder, builder.fneg(arguments[0]), lambda a, b: emit.minimum(builder, a, b))
        return builder.fneg(turned)

    return types.float64(REGISTER_TYPE), codegen


@intrinsic
def min_lane(typingctx, vector):
    """Return the smallest lane."""

    def codegen(context, builder, signature, arguments):
        return emit.reduce_lanes(builder, arguments[0], lambda a, b: emit.minimum(builder, a, b))

    return types.float64(REGISTER_TYPE), codegen


@intrinsic
def exp_and_moment(typingctx, argument, min_argument, moment):
    """Return e = exp(argument) where argument > min_argument, else 0; moment + argument e; and the bits of these lanes.

    ``min_argument`` is at least MIN_EXPONENT.
    """
    kind = types.Tuple((REGISTER_TYPE, REGISTER_TYPE, types.int64))

    def codegen(context, builder, signature, arguments):
        argument, threshold, moment = arguments
        above = builder.fcmp_ordered(">", argument, threshold)
        value = builder.select(above, emit.exp(builder, argument), emit.constant(0.0))
        # Lanes below may hold NaN, so they are selected away, not multiplied by 0.
        moment = builder.select(above, emit.fma(builder, value, argument, moment), moment)
        return context.make_tuple(builder, kind, [value, moment, emit.mask_to_bits(builder, above)])

    return kind(REGISTER_TYPE, REGISTER_TYPE, REGISTER_TYPE), codegen


@intrinsic
def ones_where_set(typingctx, flags, index):
    """Return 1.0 in the lanes whose flag in ``flags[index:]`` is set, else 0.0."""

    def codegen(context, builder, signature, arguments):
        return emit.ones_where_set(builder, emit.element_pointer(context, builder, signature.args[0], *arguments))

    return REGISTER_TYPE(flags, types.int64), codegen


@intrinsic
def store_integers_from(typingctx, numbers, index, start):
    """Write the integers start, start + 1, ... to ``numbers[index:]``, one register."""

    def codegen(context, builder, signature, arguments):
        numbers, index, start = arguments
        values = emit.integers_from(builder, start)
        target = emit.element_pointer(context, builder, signature.args[0], numbers, index)
        builder.store(values, builder.bitcast(target, values.type.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.none(numbers, types.int64, types.int64), codegen


@intrinsic
def bits_above(typingctx, vector, threshold):
    """Return the lanes greater than a number, as the bits of an integer."""

    def codegen(context, builder, signature, arguments):
        vector, threshold = arguments
        return emit.mask_to_bits(builder, builder.fcmp_ordered(">", vector, emit.splat(builder, threshold)))

    return types.int64(REGISTER_TYPE, types.float64), codegen


@intrinsic
def bits_greater(typingctx, vector, thresholds):
    """Return the lanes greater than those of another register, as the bits of an integer."""

    def codegen(context, builder, signature, arguments):
        return emit.mask_to_bits(builder, builder.fcmp_ordered(">", *arguments))

    return types.int64(REGISTER_TYPE, REGISTER_TYPE), codegen


@intrinsic
def bits_equal(typingctx, vector, other):
    """Return the lanes equal to those of another register, as the bits of an integer."""

    def codegen(context, builder, signature, arguments):
        return emit.mask_to_bits(builder, builder.fcmp_ordered("==", *arguments))

    return types.int64(REGISTER_TYPE, REGISTER_TYPE), codegen


@intrinsic
def keep_lanes(typingctx, bits, vector):
    """Return the lanes whose bits are set, and 0 in the others."""

    def codegen(context, builder, signature, arguments):
        bits, vector = arguments
        return builder.select(emit.bits_to_mask(builder, bits), vector, emit.constant(0.0))

    return REGISTER_TYPE(types.int64, REGISTER_TYPE), codegen


@intrinsic
def count_bits(typingctx, number):
    """Return the number of set bits."""

    def codegen(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), codegen


@intrinsic
def compress_lanes(typingctx, vector, start, bits, values, indices, target_start):
    """Write the lanes whose bits are set to ``values[target_start:]`` and their numbers to ``indices[target_start:]``.

    The lanes are numbered from ``start`` on. It writes a whole register to both; use it only if CAN_COMPRESS_LANES.
    """

    def codegen(context, builder, signature, arguments):
        vector, start, bits, numbers, places, at = arguments
        to = emit.element_pointer(context, builder, signature.args[3], numbers, at)
        emit.store(builder, emit.compress_lanes(builder, vector, bits), to)
        positions = emit.compress_lanes(builder, emit.integers_from(builder, start), bits)
        target = emit.element_pointer(context, builder, signature.args[4], places, at)
        builder.store(positions, builder.bitcast(target, positions.type.as_pointer()), align=8)
        return context.get_dummy_value()

    index = types.int64
    return types.none(REGISTER_TYPE, index, index, values, indices, index), codegen
