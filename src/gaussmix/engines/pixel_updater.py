"""The socket for updates of the mixtures of all pixels: a fast path that some engines offer."""

from abc import ABC, abstractmethod

from gaussmix.core.pixel_mixtures import PixelMixtures, PixelRules
from gaussmix.types import AnyArray


class AbstractPixelUpdater(ABC):
    """Judges the pixels of frames, and lets their mixtures learn them."""

    @abstractmethod
    def update(self, mixtures: PixelMixtures, frame: AnyArray, rules: PixelRules, mask: AnyArray) -> int | None:
        """Write the mask, overwrite the mixtures if the rate is not 0, and return the number of foreground pixels.

        ``frame`` (H, W) or (H, W, 3) holds bytes or single-precision numbers, and ``mask`` (H, W) bytes; W is the
        filled-up width. None means that it cannot run; then nothing has changed.
        """


class SupportsPixelUpdates(ABC):
    """An engine that offers updates of the mixtures of all pixels."""

    @property
    @abstractmethod
    def pixel_updater(self) -> AbstractPixelUpdater:
        """The object that updates mixtures of pixels for this engine."""
