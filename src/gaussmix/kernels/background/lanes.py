"""Registers of single-precision numbers, one pixel per lane, as values inside kernels.

LANES are floats, LANE_FLAGS the results of comparisons. A picture has one channel (two axes) or several (three axes,
channels last); functions on pixels are unrolled over the channels. An index counts elements of the flattened array,
which must be contiguous. No operation is fused, so that NumPy gives the same bits.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from gaussmix.core.pixel_mixtures import PIXELS_PER_GROUP
from gaussmix.kernels.codegen.emit import element_pointer

COLOUR_CHANNELS = 3

_FLOAT, _BYTE, _FLAG, _LANE_INDEX = ir.FloatType(), ir.IntType(8), ir.IntType(1), ir.IntType(32)
_VECTOR, _FLAG_VECTOR = ir.VectorType(_FLOAT, PIXELS_PER_GROUP), ir.VectorType(_FLAG, PIXELS_PER_GROUP)


class _LanesType(types.Type):
    """The Numba type of one register."""


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    """The LLVM representation of a register of numbers or flags."""

    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, _VECTOR if numba_type == LANES else _FLAG_VECTOR)


LANES, LANE_FLAGS = _LanesType(f"Pixels{PIXELS_PER_GROUP}"), _LanesType(f"PixelFlags{PIXELS_PER_GROUP}")


def _make_lanewise(operation, result_type, *argument_types):
    """Return an intrinsic that applies an operation of the IR builder lane by lane."""
    signature = result_type(*argument_types)

    def codegen(context, builder, _, arguments):
        return operation(builder, *arguments)

    if len(argument_types) == 1:
        return intrinsic(lambda typingctx, a: (signature, codegen))
    if len(argument_types) == 2:
        return intrinsic(lambda typingctx, a, b: (signature, codegen))
    return intrinsic(lambda typingctx, a, b, c: (signature, codegen))


add = _make_lanewise(lambda builder, a, b: builder.fadd(a, b), LANES, LANES, LANES)
subtract = _make_lanewise(lambda builder, a, b: builder.fsub(a, b), LANES, LANES, LANES)
multiply = _make_lanewise(lambda builder, a, b: builder.fmul(a, b), LANES, LANES, LANES)
divide = _make_lanewise(lambda builder, a, b: builder.fdiv(a, b), LANES, LANES, LANES)
less = _make_lanewise(lambda builder, a, b: builder.fcmp_ordered("<", a, b), LANE_FLAGS, LANES, LANES)
equal = _make_lanewise(lambda builder, a, b: builder.fcmp_ordered("==", a, b), LANE_FLAGS, LANES, LANES)
both = _make_lanewise(lambda builder, a, b: builder.and_(a, b), LANE_FLAGS, LANE_FLAGS, LANE_FLAGS)
either = _make_lanewise(lambda builder, a, b: builder.or_(a, b), LANE_FLAGS, LANE_FLAGS, LANE_FLAGS)
invert = _make_lanewise(lambda builder, a: builder.not_(a), LANE_FLAGS, LANE_FLAGS)
select = _make_lanewise(lambda builder, flags, a, b: builder.select(flags, a, b), LANES, LANE_FLAGS, LANES, LANES)


def _shuffle(builder, vector, lanes):
    """Return a register of the given lanes of a vector."""
    indices = ir.Constant(ir.VectorType(_LANE_INDEX, PIXELS_PER_GROUP), lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), indices)


def _splat(builder, number):
    """Return a register with a double, rounded to single precision, in every lane."""
    single = builder.fptrunc(number, _FLOAT)
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), single, ir.Constant(_LANE_INDEX, 0))
    return _shuffle(builder, first, [0] * PIXELS_PER_GROUP)


def _load(builder, pointer, vector_type):
    """Return the vector at a pointer to its elements."""
    alignment = 1 if vector_type.element == _BYTE else 4
    return builder.load(builder.bitcast(pointer, vector_type.as_pointer()), align=alignment)


@intrinsic
def splat(typingctx, number):
    """Return a register with a number in every lane."""
    return LANES(types.float64), lambda context, builder, signature, arguments: _splat(builder, *arguments)


@intrinsic
def any_lane(typingctx, flags):
    """Return whether any flag is set."""

    def codegen(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], ir.IntType(PIXELS_PER_GROUP))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(LANE_FLAGS), codegen


@intrinsic
def count_lanes(typingctx, flags):
    """Return the number of flags that are set."""

    def codegen(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], ir.IntType(PIXELS_PER_GROUP))
        return builder.zext(builder.ctpop(bits), ir.IntType(64))

    return types.int64(LANE_FLAGS), codegen


@intrinsic
def load(typingctx, array, index):
    """Return the register at ``array[index:]``."""

    def codegen(context, builder, signature, arguments):
        return _load(builder, element_pointer(context, builder, signature.args[0], *arguments), _VECTOR)

    return LANES(array, types.int64), codegen


@intrinsic
def store(typingctx, array, index, lanes):
    """Write a register to ``array[index:]``, as bytes if these are its elements."""
    is_byte = array.dtype == types.uint8

    def codegen(context, builder, signature, arguments):
        array, index, lanes = arguments
        pointer = element_pointer(context, builder, signature.args[0], array, index)
        if is_byte:
            lanes = builder.fptoui(lanes, ir.VectorType(_BYTE, PIXELS_PER_GROUP))
        builder.store(lanes, builder.bitcast(pointer, lanes.type.as_pointer()), align=1 if is_byte else 4)
        return context.get_dummy_value()

    return types.none(array, types.int64, LANES), codegen


@intrinsic
def load_pixels(typingctx, frame, index):
    """Return the pixels from ``index`` on, one register per channel."""
    n_channels = COLOUR_CHANNELS if frame.ndim == 3 else 1
    pixels = types.UniTuple(LANES, n_channels)
    is_byte = frame.dtype == types.uint8

    def codegen(context, builder, signature, arguments):
        array, index = arguments
        start = builder.mul(index, ir.Constant(index.type, n_channels))
        pointer = element_pointer(context, builder, signature.args[0], array, start)
        elements = ir.VectorType(_BYTE if is_byte else _FLOAT, PIXELS_PER_GROUP * n_channels)
        interleaved = _load(builder, pointer, elements)
        channels = []
        for channel in range(n_channels):
            lanes = _shuffle(builder, interleaved, [channel + n_channels * i for i in range(PIXELS_PER_GROUP)])
            channels.append(builder.uitofp(lanes, _VECTOR) if is_byte else lanes)
        return context.make_tuple(builder, pixels, channels)

    return pixels(frame, types.int64), codegen


def _channel_pointers(context, builder, signature, arguments):
    """Yield the channels of the pixels, each with the pointer to its means."""
    pixels, array, index, stride = arguments[:4]
    for channel in range(signature.args[0].count):
        place = builder.add(index, builder.mul(stride, ir.Constant(index.type, channel)))
        yield builder.extract_value(pixels, channel), element_pointer(context, builder, signature.args[1], array, place)


def _sum_over_channels(context, builder, signature, arguments, term):
    """Return the sum over the channels of ``term(pixel, mean)``, in their order."""
    total = None
    for pixel, pointer in _channel_pointers(context, builder, signature, arguments):
        value = term(pixel, _load(builder, pointer, _VECTOR))
        total = value if total is None else builder.fadd(total, value)
    return total


@intrinsic
def sum_squared_differences(typingctx, pixels, array, index, stride, scale):
    """Return |scale m - x|^2 for the means m, whose channels lie ``stride`` apart from ``array[index:]`` on."""

    def codegen(context, builder, signature, arguments):
        def term(pixel, mean):
            difference = builder.fsub(builder.fmul(arguments[4], mean), pixel)
            return builder.fmul(difference, difference)

        return _sum_over_channels(context, builder, signature, arguments, term)

    return LANES(pixels, array, types.int64, types.int64, LANES), codegen


@intrinsic
def sum_products(typingctx, pixels, array, index, stride):
    """Return x m and m m, each summed over the channels."""
    pair = types.UniTuple(LANES, 2)

    def codegen(context, builder, signature, arguments):
        products = [
            _sum_over_channels(context, builder, signature, arguments, lambda x, m: builder.fmul(x, m)),
            _sum_over_channels(context, builder, signature, arguments, lambda x, m: builder.fmul(m, m)),
        ]
        return context.make_tuple(builder, pair, products)

    return pair(pixels, array, types.int64, types.int64), codegen


@intrinsic
def shift_means(typingctx, pixels, array, index, stride, gain):
    """Add ``gain (x - m)`` to the means m."""

    def codegen(context, builder, signature, arguments):
        for pixel, pointer in _channel_pointers(context, builder, signature, arguments):
            mean = _load(builder, pointer, _VECTOR)
            shifted = builder.fadd(mean, builder.fmul(arguments[4], builder.fsub(pixel, mean)))
            builder.store(shifted, builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.none(pixels, array, types.int64, types.int64, LANES), codegen


@intrinsic
def replace_means(typingctx, pixels, array, index, stride, flags):
    """Replace the means by the pixels in the lanes whose flag is set."""

    def codegen(context, builder, signature, arguments):
        for pixel, pointer in _channel_pointers(context, builder, signature, arguments):
            mean = builder.select(arguments[4], pixel, _load(builder, pointer, _VECTOR))
            builder.store(mean, builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.none(pixels, array, types.int64, types.int64, LANE_FLAGS), codegen
