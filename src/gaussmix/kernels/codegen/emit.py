"""Emit LLVM instructions on registers of doubles into a kernel.

A compiler often uses half of the machine's vector width and spills accumulators to memory. So the few
critical loops are written in LLVM's own terms with these functions. ``builder`` is llvmlite's IRBuilder;
values are LLVM vectors of SIMD_WIDTH doubles.
"""

import functools

from llvmlite import ir
from numba.core import cgutils

from gaussmix.kernels.machine_constants import HAS_FMA, SIMD_WIDTH

INDEX_TYPE = ir.IntType(64)
DOUBLE_TYPE, _LANE_INDEX_TYPE = ir.DoubleType(), ir.IntType(32)
VECTOR_TYPE = ir.VectorType(DOUBLE_TYPE, SIMD_WIDTH)
_SINGLE_VECTOR_TYPE = ir.VectorType(ir.FloatType(), SIMD_WIDTH)
_INTEGER_VECTOR_TYPE = ir.VectorType(INDEX_TYPE, SIMD_WIDTH)


def constant(value, vector_type=VECTOR_TYPE):
    """Return a register with the same constant in every lane."""
    return ir.Constant(vector_type, [value] * SIMD_WIDTH)


def element_pointer(context, builder, array_type, array, index):
    """Return a pointer to ``array.ravel()[index]`` of a contiguous array."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def advance_pointer(builder, pointer, count):
    """Return the pointer advanced by a constant number of doubles."""
    return builder.gep(pointer, [ir.Constant(INDEX_TYPE, count)])


def load(builder, pointer):
    """Return the register at a pointer to doubles."""
    return builder.load(builder.bitcast(pointer, VECTOR_TYPE.as_pointer()), align=8)


def load_single(builder, pointer):
    """Return a register of doubles converted from the floats at a pointer."""
    singles = builder.load(builder.bitcast(pointer, _SINGLE_VECTOR_TYPE.as_pointer()), align=4)
    return builder.fpext(singles, VECTOR_TYPE)


def ones_where_set(builder, pointer):
    """Return 1.0 in the lanes whose byte at the pointer is not 0, else 0.0."""
    flags = ir.VectorType(ir.IntType(8), SIMD_WIDTH)
    loaded = builder.load(builder.bitcast(pointer, flags.as_pointer()), align=1)
    return builder.select(builder.icmp_unsigned("!=", loaded, ir.Constant(flags, None)), constant(1.0), constant(0.0))


def store(builder, vector, pointer):
    """Store a register at a pointer to doubles."""
    builder.store(vector, builder.bitcast(pointer, VECTOR_TYPE.as_pointer()), align=8)


def splat(builder, scalar):
    """Return a register with the scalar in every lane."""
    nothing = ir.Constant(VECTOR_TYPE, ir.Undefined)
    first = builder.insert_element(nothing, scalar, ir.Constant(_LANE_INDEX_TYPE, 0))
    return builder.shuffle_vector(
        first, nothing, ir.Constant(ir.VectorType(_LANE_INDEX_TYPE, SIMD_WIDTH), [0] * SIMD_WIDTH)
    )


def fma(builder, a, b, c):
    """Return a * b + c, with one rounding where the processor has an instruction for that."""
    if not HAS_FMA:  # a function of the C library would take twenty times as long
        return builder.fadd(builder.fmul(a, b), c)
    kind = ir.FunctionType(VECTOR_TYPE, [VECTOR_TYPE] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{SIMD_WIDTH}f64"), [a, b, c])


def select_greater(builder, a, b, if_true, if_false):
    """Return ``if_true`` in the lanes where a > b, else ``if_false``."""
    return builder.select(builder.fcmp_ordered(">", a, b), if_true, if_false)


def shuffle(builder, a, b, lanes):
    """Return the given lanes of a (0 to SIMD_WIDTH - 1) and b (from SIMD_WIDTH on)."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_LANE_INDEX_TYPE, len(lanes)), lanes))


def minimum(builder, a, b):
    """Return the lane-wise minimum of two registers of any length."""
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def mask_to_bits(builder, mask):
    """Return a comparison's result as the bits of an integer."""
    return builder.zext(builder.bitcast(mask, ir.IntType(SIMD_WIDTH)), INDEX_TYPE)


def bits_to_mask(builder, bits):
    """Return the bits of an integer as a comparison's result."""
    return builder.bitcast(builder.trunc(bits, ir.IntType(SIMD_WIDTH)), ir.VectorType(ir.IntType(1), SIMD_WIDTH))


def compress_lanes(builder, vector, bits):
    """Return the lanes whose bits are set, moved to the front."""
    kind, lanes = vector.type, bits_to_mask(builder, bits)
    name = "llvm.x86.avx512.mask.compress." + ("v8f64" if kind == VECTOR_TYPE else "v8i64")
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind, kind, lanes.type]), name)
    return builder.call(function, [vector, ir.Constant(kind, None), lanes])


def integers_from(builder, start):
    """Return a register of the integers start, start + 1, ..."""
    first = builder.insert_element(
        ir.Constant(_INTEGER_VECTOR_TYPE, ir.Undefined), start, ir.Constant(_LANE_INDEX_TYPE, 0)
    )
    zeros = ir.Constant(ir.VectorType(_LANE_INDEX_TYPE, SIMD_WIDTH), [0] * SIMD_WIDTH)
    starts = builder.shuffle_vector(first, ir.Constant(_INTEGER_VECTOR_TYPE, ir.Undefined), zeros)
    return builder.add(starts, ir.Constant(_INTEGER_VECTOR_TYPE, list(range(SIMD_WIDTH))))


def reduce_lanes(builder, vector, combine):
    """Combine the lanes to one number, halves first."""
    length = SIMD_WIDTH
    while length > 1:
        length //= 2
        low = shuffle(builder, vector, vector, list(range(length)))
        high = shuffle(builder, vector, vector, list(range(length, 2 * length)))
        vector = combine(low, high)
    return builder.extract_element(vector, ir.Constant(_LANE_INDEX_TYPE, 0))


def label_of_largest(builder, values, labels):
    """Return the label in the lane of the largest value; ties take the smallest label."""
    length = SIMD_WIDTH
    while length > 1:
        length //= 2
        low, high = list(range(length)), list(range(length, 2 * length))
        a, b = shuffle(builder, values, values, low), shuffle(builder, values, values, high)
        low_labels, high_labels = shuffle(builder, labels, labels, low), shuffle(builder, labels, labels, high)
        tie = builder.and_(builder.fcmp_ordered("==", b, a), builder.fcmp_ordered("<", high_labels, low_labels))
        second = builder.or_(builder.fcmp_ordered(">", b, a), tie)
        values, labels = builder.select(second, b, a), builder.select(second, high_labels, low_labels)
    return builder.extract_element(labels, ir.Constant(_LANE_INDEX_TYPE, 0))


def _combine_adjacent(builder, a, b, width, combine):
    """Combine even with odd blocks of ``width`` lanes of a and b."""
    evens, odds = [], []
    for block in range(0, SIMD_WIDTH, 2 * width):
        for source in (0, SIMD_WIDTH):
            evens += [source + block + lane for lane in range(width)]
            odds += [source + block + width + lane for lane in range(width)]
    return combine(shuffle(builder, a, b, evens), shuffle(builder, a, b, odds))


def sum_each_register(builder, vectors):
    """Return one register with the lane sum of each of SIMD_WIDTH registers."""
    width = 1
    while len(vectors) > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [_combine_adjacent(builder, a, b, width, builder.fadd) for a, b in pairs]
        width *= 2
    return vectors[0]


def transpose(builder, vectors):
    """Transpose a square of SIMD_WIDTH registers."""
    width = 1
    while width < SIMD_WIDTH:
        swapped = list(vectors)
        for first in range(SIMD_WIDTH):
            if first & width:
                continue
            second = first | width
            low, high = [], []
            for block in range(0, SIMD_WIDTH, 2 * width):
                low += [block + lane for lane in range(width)] + [SIMD_WIDTH + block + lane for lane in range(width)]
                high += [block + width + lane for lane in range(width)]
                high += [SIMD_WIDTH + block + width + lane for lane in range(width)]
            swapped[first] = shuffle(builder, vectors[first], vectors[second], low)
            swapped[second] = shuffle(builder, vectors[first], vectors[second], high)
        vectors, width = swapped, 2 * width
    return vectors


# exp(x) = 2^n exp(r) with r in [-log(2) / 2, log(2) / 2], where Taylor's polynomial of degree 12 is exact to rounding.
_LOG2E, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 0.693147180369123816490, 1.90821492927058770002e-10
_ROUNDING_SHIFT = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer, which the low bits then hold


def exp(builder, x):
    """Return exp(x) for -650 <= x <= 709, within 2 units in the last place."""
    shifted = fma(builder, x, constant(_LOG2E), constant(_ROUNDING_SHIFT))
    n = builder.fsub(shifted, constant(_ROUNDING_SHIFT))
    remainder = fma(builder, n, constant(-_LN2_HIGH), x)
    remainder = fma(builder, n, constant(-_LN2_LOW), remainder)
    factors = [1.0]
    for order in range(1, 13):
        factors.append(factors[-1] / order)
    # Estrin's scheme: independent pairs instead of a chain of twelve dependent steps.
    square = builder.fmul(remainder, remainder)
    fourth = builder.fmul(square, square)
    pairs = [fma(builder, remainder, constant(factors[i + 1]), constant(factors[i])) for i in range(0, 12, 2)]
    quads = [fma(builder, square, pairs[i + 1], pairs[i]) for i in (0, 2, 4)]
    top = fma(builder, fourth, constant(factors[12]), quads[2])
    value = fma(builder, fourth, fma(builder, fourth, top, quads[1]), quads[0])
    bits = builder.bitcast(shifted, _INTEGER_VECTOR_TYPE)
    power = builder.shl(builder.add(bits, constant(1023, _INTEGER_VECTOR_TYPE)), constant(52, _INTEGER_VECTOR_TYPE))
    return builder.fmul(value, builder.bitcast(power, VECTOR_TYPE))


def log(builder, x):
    """Return the natural logarithm of normal numbers > 0, within 2 units in the last place.

    x = 2^n m with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
    """
    bits = builder.bitcast(x, _INTEGER_VECTOR_TYPE)
    # Subtracting the bits of sqrt(1/2) first makes the exponent round where m crosses sqrt(2).
    moved = builder.sub(bits, constant(0x3FE6A09E667F3BCD, _INTEGER_VECTOR_TYPE))
    exponent = builder.ashr(moved, constant(52, _INTEGER_VECTOR_TYPE))
    mantissa = builder.bitcast(
        builder.sub(bits, builder.shl(exponent, constant(52, _INTEGER_VECTOR_TYPE))), VECTOR_TYPE
    )
    less = builder.fsub(mantissa, constant(1.0))
    s = builder.fdiv(less, builder.fadd(mantissa, constant(1.0)))
    square = builder.fmul(s, s)
    series = constant(2.0 / 23)
    for odd in range(21, 1, -2):
        series = fma(builder, series, square, constant(2.0 / odd))
    # log m = less - s * (less - s^2 series'): the large part, m - 1, carries no error (after fdlibm's e_log).
    small = builder.fmul(s, builder.fsub(less, builder.fmul(square, series)))
    whole = builder.sitofp(exponent, VECTOR_TYPE)
    value = fma(builder, whole, constant(_LN2_LOW), builder.fsub(constant(0.0), small))
    value = builder.fadd(less, value)
    return fma(builder, whole, constant(_LN2_HIGH), value)


def first_lane(builder, vector):
    """Return the first lane of a register."""
    return builder.extract_element(vector, ir.Constant(_LANE_INDEX_TYPE, 0))


_SMALLEST_NORMAL, _TWO_TO_54, _LOG_OF_TWO_TO_54 = 2.0**-1022, 2.0**54, 37.42994775023704665


def scalar_log(builder, x):
    """Return the natural logarithm of any number as the C library does, which differs from system to system."""
    number = functools.partial(ir.Constant, DOUBLE_TYPE)
    is_subnormal = builder.fcmp_ordered("<", x, number(_SMALLEST_NORMAL))
    scaled = builder.select(is_subnormal, builder.fmul(x, number(_TWO_TO_54)), x)
    value = first_lane(builder, log(builder, splat(builder, scaled)))
    value = builder.fsub(value, builder.select(is_subnormal, number(_LOG_OF_TWO_TO_54), number(0.0)))
    value = builder.select(builder.fcmp_ordered("==", x, number(float("inf"))), x, value)
    value = builder.select(builder.fcmp_ordered("==", x, number(0.0)), number(float("-inf")), value)
    return builder.select(builder.fcmp_ordered(">=", x, number(0.0)), value, number(float("nan")))


def scalar_exp(builder, x):
    """Return exp(x) of any number, within 4 units in the last place of normal results."""
    number = functools.partial(ir.Constant, DOUBLE_TYPE)
    bounded = builder.select(builder.fcmp_ordered("<", x, number(-1250.0)), number(-1250.0), x)
    bounded = builder.select(builder.fcmp_ordered(">", bounded, number(1250.0)), number(1250.0), bounded)
    root = first_lane(builder, exp(builder, splat(builder, builder.fmul(bounded, number(0.5)))))
    return builder.select(builder.fcmp_unordered("uno", x, x), x, builder.fmul(root, root))
