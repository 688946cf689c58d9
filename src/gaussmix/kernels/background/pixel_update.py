"""Judge the pixels of a frame by their mixtures, then let the mixtures learn the frame.

Zivkovic (2004), "Improved adaptive Gaussian mixture model for background subtraction". A pixel belongs to the heaviest
component that matches it. It does what `tracking/background/numpy_update.py` does in NumPy, bit for bit: slots have no
order, and among equal weights the first slot wins.
"""

from gaussmix.core.pixel_mixtures import BACKGROUND, FOREGROUND, PIXELS_PER_GROUP, SHADOW
from gaussmix.kernels.background.lanes import (
    add,
    any_lane,
    both,
    count_lanes,
    divide,
    either,
    equal,
    invert,
    less,
    load,
    load_pixels,
    multiply,
    replace_means,
    select,
    shift_means,
    splat,
    store,
    subtract,
    sum_products,
    sum_squared_differences,
)
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining

WEIGHT_ROW, VARIANCE_ROW, MEAN_ROW = 0, 1, 2
NO_SLOT, INFINITE_WEIGHT = -1.0, 2.0


@entry_point
def update_pixel_mixtures(state, frame, mask, first_row, stop_row):
    """Write the mask of the rows, learn them if ``is_learning``, and return their number of foreground pixels."""
    request_full_width()
    n_foreground = 0
    width = state.components.shape[3]
    for row in range(first_row, stop_row):
        for group in range(width // PIXELS_PER_GROUP):
            start = row * width + group * PIXELS_PER_GROUP
            n_foreground += _update_group(state, load_pixels(frame, start), mask, row, group, start)
    return n_foreground


@kernel
def _update_group(state, pixels, mask, row, group, start):
    """Update one group of pixels; return the number of foreground pixels among them."""
    request_full_width()
    request_inlining()
    components, n = state.components, state.n_slots[row, group]
    width, slot_stride = components.shape[3], components.shape[1] * components.shape[2] * components.shape[3]
    base = row * components.shape[2] * width + group * PIXELS_PER_GROUP
    zero, one, fraction = splat(0.0), splat(1.0), splat(state.channel_fraction)
    match_threshold, background_threshold = splat(state.match_threshold), splat(state.background_threshold)
    owner, owner_weight, owner_distance, background_weight = splat(NO_SLOT), zero, zero, zero
    for slot in range(n):
        at = base + slot * slot_stride
        weight, variance = load(components, at), load(components, at + VARIANCE_ROW * width)
        distance = sum_squared_differences(pixels, components, at + MEAN_ROW * width, width, one)
        distance = multiply(distance, fraction)
        is_heavier = both(less(distance, multiply(match_threshold, variance)), less(owner_weight, weight))
        owner = select(is_heavier, splat(float(slot)), owner)
        owner_weight, owner_distance = (
            select(is_heavier, weight, owner_weight),
            select(is_heavier, distance, owner_distance),
        )
        explains = both(less(distance, multiply(background_threshold, variance)), less(background_weight, weight))
        background_weight = select(explains, weight, background_weight)
    is_background = both(
        less(zero, background_weight),
        less(_heavier_mass(components, base, slot_stride, n, background_weight), splat(state.background_ratio)),
    )
    is_foreground = invert(is_background)
    value = select(is_background, splat(float(BACKGROUND)), splat(float(FOREGROUND)))
    if state.detects_shadows and any_lane(is_foreground):
        is_shadow = both(is_foreground, _find_shadows(state, pixels, base, slot_stride, n))
        value = select(is_shadow, splat(float(SHADOW)), value)
        is_foreground = both(is_foreground, invert(is_shadow))
    store(mask, start, value)
    if state.is_learning:
        _learn_group(state, pixels, base, slot_stride, row, group, owner, owner_distance)
    return count_lanes(is_foreground)


@kernel
def _heavier_mass(components, base, slot_stride, n, weight):
    """Return the summed weights of the slots that are heavier than a weight."""
    request_full_width()
    request_inlining()
    zero = splat(0.0)
    mass = zero
    if n > 1:
        for slot in range(n):
            other = load(components, base + slot * slot_stride)
            mass = add(mass, select(less(weight, other), other, zero))
    return mass


@kernel
def _find_shadows(state, pixels, base, slot_stride, n):
    """Return where a pixel is a darker copy of a background component (Zivkovic & van der Heijden 2006, section 3)."""
    request_full_width()
    components, zero, one = state.components, splat(0.0), splat(1.0)
    width, ratio = components.shape[3], splat(state.background_ratio)
    threshold, least = splat(state.background_threshold), splat(state.min_brightness)
    is_shadow = less(one, zero)
    for slot in range(n):
        at = base + slot * slot_stride
        weight = load(components, at)
        means = at + MEAN_ROW * width
        product, square = sum_products(pixels, components, means, width)
        brightness = divide(product, select(less(zero, square), square, one))
        distance = sum_squared_differences(pixels, components, means, width, brightness)
        distance = multiply(distance, splat(state.channel_fraction))
        tolerance = multiply(multiply(threshold, load(components, at + VARIANCE_ROW * width)), brightness)
        is_near = less(distance, multiply(tolerance, brightness))
        is_darker = both(less(brightness, one), invert(less(brightness, least)))
        mass = _heavier_mass(components, base, slot_stride, n, weight)
        is_background = both(less(zero, weight), less(mass, ratio))
        is_shadow = either(is_shadow, both(both(is_near, is_darker), is_background))
    return is_shadow


@kernel
def _learn_group(state, pixels, base, slot_stride, row, group, owner, owner_distance):
    """Let one group of mixtures learn its pixels."""
    request_full_width()
    request_inlining()
    components, n = state.components, state.n_slots[row, group]
    width, zero = components.shape[3], splat(0.0)
    rate, retention, prune = splat(state.rate), splat(state.retention), splat(state.prune)
    low, high = splat(state.min_variance), splat(state.max_variance)
    total, lightest_weight, lightest = zero, splat(INFINITE_WEIGHT), splat(NO_SLOT)
    for slot in range(n):
        at = base + slot * slot_stride
        is_owner = equal(owner, splat(float(slot)))
        decayed = multiply(retention, load(components, at))
        raised = add(decayed, rate)
        gain = select(is_owner, divide(rate, raised), zero)
        weight = subtract(select(is_owner, raised, decayed), prune)
        weight = select(both(invert(is_owner), less(weight, prune)), zero, weight)
        variance = load(components, at + VARIANCE_ROW * width)
        moved = add(variance, multiply(gain, subtract(owner_distance, variance)))
        moved = select(less(moved, low), low, select(less(high, moved), high, moved))
        store(components, at + VARIANCE_ROW * width, select(is_owner, moved, variance))
        shift_means(pixels, components, at + MEAN_ROW * width, width, gain)
        store(components, at, weight)
        total = add(total, weight)
        is_lighter = less(weight, lightest_weight)
        lightest = select(is_lighter, splat(float(slot)), lightest)
        lightest_weight = select(is_lighter, weight, lightest_weight)
    has_no_owner = less(owner, zero)
    if any_lane(has_no_owner):
        is_full = less(zero, lightest_weight)
        if n < components.shape[0]:
            lightest = select(is_full, splat(float(n)), lightest)
            lightest_weight = select(is_full, zero, lightest_weight)
            n += 1
        place = select(has_no_owner, lightest, splat(NO_SLOT))
        total = select(has_no_owner, add(subtract(total, lightest_weight), rate), total)
        _fill_slots(state, pixels, base, slot_stride, n, place)
    state.n_slots[row, group] = _normalize_weights(components, base, slot_stride, n, total)


@kernel
def _fill_slots(state, pixels, base, slot_stride, n, place):
    """Start a component at the pixel in the slot ``place`` of each lane; lanes of NO_SLOT stay as they are."""
    request_full_width()
    components, width = state.components, state.components.shape[3]
    rate, variance = splat(state.rate), splat(state.initial_variance)
    for slot in range(n):
        is_here = equal(place, splat(float(slot)))
        if any_lane(is_here):
            at = base + slot * slot_stride
            store(components, at, select(is_here, rate, load(components, at)))
            at += VARIANCE_ROW * width
            store(components, at, select(is_here, variance, load(components, at)))
            replace_means(pixels, components, at + (MEAN_ROW - VARIANCE_ROW) * width, width, is_here)


@kernel
def _normalize_weights(components, base, slot_stride, n, total):
    """Divide the weights by their total; return one more than the last slot in use."""
    request_full_width()
    request_inlining()
    n_used = 0
    for slot in range(n):
        at = base + slot * slot_stride
        weight = divide(load(components, at), total)
        store(components, at, weight)
        if any_lane(less(splat(0.0), weight)):
            n_used = slot + 1
    return n_used
