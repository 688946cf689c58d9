"""Update the mixtures of all pixels in compiled code: pack the arguments, and share the rows among threads."""

from gaussmix.core.pixel_mixtures import PixelMixtures, PixelRules
from gaussmix.core.threads import available_n_threads, ordered_sum
from gaussmix.engines.pixel_updater import AbstractPixelUpdater
from gaussmix.kernels.compiled_functions import update_pixel_mixtures
from gaussmix.kernels.packed_arguments import pack_arguments
from gaussmix.kernels.pixel_arguments import PixelMixtureState
from gaussmix.types import AnyArray

# Pixels below which a thread of its own costs more than it saves, and parts of a picture per thread.
MIN_PIXELS_PER_PART, PARTS_PER_THREAD = 16_384, 4


class CompiledPixelUpdater(AbstractPixelUpdater):
    """Updates mixtures of pixels in a compiled function, rows shared among threads."""

    def update(self, mixtures: PixelMixtures, frame: AnyArray, rules: PixelRules, mask: AnyArray) -> int:
        """Write the mask, overwrite the mixtures if the rate is not 0, and return the number of foreground pixels."""
        arguments = [pack_arguments(_pack_state(mixtures, rules)), pack_arguments((frame,)), pack_arguments((mask,))]
        return ordered_sum(
            lambda rows: update_pixel_mixtures(*arguments, rows.start, rows.stop), _split_rows(*mask.shape)
        )


def _split_rows(height: int, width: int) -> list[range]:
    """Return ranges that share the rows of a picture among the threads."""
    n_threads = available_n_threads()
    n_parts = min(n_threads * PARTS_PER_THREAD if n_threads > 1 else 1, height * width // MIN_PIXELS_PER_PART)
    step = -(-height // max(1, n_parts))
    return [range(start, min(start + step, height)) for start in range(0, height, step)]


def _pack_state(mixtures: PixelMixtures, rules: PixelRules) -> PixelMixtureState:
    """Return the mixtures and rules as arguments of compiled code."""
    return PixelMixtureState(
        components=mixtures.components,
        n_slots=mixtures.n_slots,
        is_learning=rules.is_learning,
        detects_shadows=rules.min_brightness is not None,
        rate=rules.rate,
        retention=rules.retention,
        prune=rules.prune,
        background_ratio=rules.background_ratio,
        match_threshold=rules.match_threshold,
        background_threshold=rules.background_threshold,
        initial_variance=rules.initial_variance,
        min_variance=rules.min_variance,
        max_variance=rules.max_variance,
        min_brightness=rules.min_brightness or 0.0,
        channel_fraction=1.0 / mixtures.n_channels,
    )
