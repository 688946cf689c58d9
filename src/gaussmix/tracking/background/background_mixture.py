"""`BackgroundMixture`: a Gaussian mixture for every pixel of a video, which separates moving objects from the rest."""

from os import PathLike
from typing import Any

import numpy as np

from gaussmix.core.pixel_mixtures import PixelMixtures
from gaussmix.engines.automatic import AutomaticPixelUpdater
from gaussmix.errors import FrameError
from gaussmix.tracking.background.background_archive import StoredBackground, load_background, save_background
from gaussmix.tracking.background.background_options import BYTE_RANGE, BackgroundOptions
from gaussmix.tracking.background.frames import FrameFormat, pack_frame, parse_frame
from gaussmix.tracking.background.numpy_update import update_in_numpy
from gaussmix.types import AnyArray


class BackgroundMixture:
    """The background of a video from a fixed camera, one adaptive Gaussian mixture for each pixel.

    Every pixel has up to ``n_components`` spherical Gaussians. A new frame is judged first, then learned: the heaviest
    component that matches a pixel moves toward it, and a pixel without a match starts a new component, which replaces
    the lightest one if all are in use. Heavy components are the background.

    Deviations are fractions of the brightness range: 255 for uint8, ``value_range`` for floats. Frames are grey (H, W)
    or colour (H, W, 3), of any order of the channels, and 0 is black.

    Parameters
    ----------
    n_components : int, default=5
        Largest number of components of a pixel, at most 16.
    history : int, default=500
        Number of frames over which the mixture averages, unless a learning rate is given.
    background_ratio : float, default=0.7
        A component is background if the heavier ones of its pixel weigh less than this. An object that stops becomes
        background after about ``history * log(1 / background_ratio)`` frames.
    complexity : float, default=0.05
        Weight that all components lose at an update, as a fraction of the learning rate. Components without support
        vanish, so each pixel finds its own number of components. At 0 none vanishes, as in Stauffer and Grimson.
    match_threshold : float, default=3.0
        Standard deviations within which a component learns a pixel (root mean square over the channels).
    background_threshold : float, default=4.0
        Standard deviations within which a pixel is background. Lower values find more, and more noise.
    initial_deviation : float, default=0.01
        Standard deviation of one channel of a new component.
    min_deviation, max_deviation : float, default=0.003, 0.02
        Bounds of the standard deviation of one channel. The lower one is about a level of 8 bits: compressed video of
        still scenes has less noise than its rounding.
    detect_shadows : bool, default=True
        Whether pixels that are a darker copy of their background get the value 127.
    min_shadow_brightness : float, default=0.5
        Least brightness of a shadow, relative to the background.
    value_range : float, default=1.0
        Brightness of white in frames of floats; frames of uint8 do not use it.

    Attributes
    ----------
    weights_ : ndarray (H, W, n_components)
        Weights of the components, heaviest first. They sum to 1; 0 means that there is no such component.
    means_ : ndarray (H, W, n_components) or (H, W, n_components, 3)
        Means in the units of the frames.
    variances_ : ndarray (H, W, n_components)
        Variance of one channel in squared units of the frames.
    n_components_ : ndarray (H, W)
        Number of components of each pixel.
    n_frames_ : int
        Number of frames learned.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.

    References
    ----------
    Stauffer and Grimson (1999), "Adaptive background mixture models for real-time tracking".
    Zivkovic (2004), "Improved adaptive Gaussian mixture model for background subtraction".
    Zivkovic and van der Heijden (2006), "Efficient adaptive density estimation per image pixel", section 3: shadows.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import BackgroundMixture
    >>> background = BackgroundMixture()
    >>> frame = np.full((4, 6), 100, dtype=np.uint8)
    >>> for _ in range(20):
    ...     mask = background.apply(frame)
    >>> frame[1, 2] = 200
    >>> print(background.apply(frame))
    [[  0   0   0   0   0   0]
     [  0   0 255   0   0   0]
     [  0   0   0   0   0   0]
     [  0   0   0   0   0   0]]
    """

    def __init__(
        self,
        n_components: int = 5,
        *,
        history: int = 500,
        background_ratio: float = 0.7,
        complexity: float = 0.05,
        match_threshold: float = 3.0,
        background_threshold: float = 4.0,
        initial_deviation: float = 0.01,
        min_deviation: float = 0.003,
        max_deviation: float = 0.02,
        detect_shadows: bool = True,
        min_shadow_brightness: float = 0.5,
        value_range: float = 1.0,
    ) -> None:
        self.options = BackgroundOptions(
            n_components,
            history,
            background_ratio,
            complexity,
            match_threshold,
            background_threshold,
            initial_deviation,
            min_deviation,
            max_deviation,
            detect_shadows,
            min_shadow_brightness,
            value_range,
        )
        self.n_frames_ = 0
        self._format: FrameFormat | None = None
        self._mixtures: PixelMixtures | None = None

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in vars(self.options).items())
        return f"BackgroundMixture({parameters})"

    def apply(self, frame: Any, learning_rate: float | None = None) -> AnyArray:
        """Return the mask of a frame (H, W) of uint8, and learn the frame.

        Parameters
        ----------
        frame : array-like (H, W) or (H, W, 3)
            uint8 from 0 to 255, or floats from 0 to ``value_range``. All frames have one shape and type.
        learning_rate : float, optional
            Weight of the frame, from 0 to 1. None is 1 / n for the n-th frame, at least 1 / ``history``. At 0 the frame
            is judged only: not one bit of the model changes. Before any frame is learned, everything is foreground.

        Returns
        -------
        ndarray (H, W)
            0 is background, 127 shadow, and 255 foreground, as in OpenCV.

        Raises
        ------
        FrameError
            If the frame is no picture, is not finite, or differs in shape or type from the frames before.
        ParameterError
            If the learning rate is outside [0, 1].
        """
        array = parse_frame(frame)
        rules = self.options.make_rules(self.options.choose_rate(learning_rate, self.n_frames_))
        frame_format = FrameFormat.of(array)
        if self._format is not None:
            self._format.require_equal(frame_format)
        packed = pack_frame(array, self.options.value_range)
        mixtures = self._mixtures
        if mixtures is None:
            height, width = array.shape[:2]
            mixtures = PixelMixtures.empty(int(self.options.n_components), height, width, frame_format.n_channels)
        mask = np.empty(packed.shape[:2], dtype=np.uint8)
        if AutomaticPixelUpdater().update(mixtures, packed, rules, mask) is None:
            update_in_numpy(mixtures, packed, rules, mask)
        if rules.is_learning:
            self._format, self._mixtures = frame_format, mixtures
            self.n_frames_ += 1
        return np.ascontiguousarray(mask[:, : array.shape[1]])

    def background(self) -> AnyArray:
        """Return the mean of the heaviest component of each pixel, a picture of the shape and type of the frames.

        Raises
        ------
        FrameError
            If no frame has been learned.
        """
        mixtures, frame_format = self._require_learned()
        heaviest = mixtures.weights().argmax(axis=0)
        means = np.take_along_axis(mixtures.means(), heaviest[None, :, None], axis=0)[0]
        picture: AnyArray = np.moveaxis(means, 1, 2).reshape(frame_format.shape) * self._unit
        picture = np.rint(picture) if frame_format.dtype == "uint8" else picture
        return np.asarray(picture, dtype=frame_format.dtype)

    @property
    def weights_(self) -> AnyArray:
        """Weights of the components, heaviest first, (H, W, n_components)."""
        weights, order = self._sorted_weights()
        return np.moveaxis(np.take_along_axis(weights, order, axis=0), 0, 2)

    @property
    def variances_(self) -> AnyArray:
        """Variances of one channel, (H, W, n_components), in squared units of the frames; 0 without a component."""
        weights, order = self._sorted_weights()
        variances = np.where(weights > 0, self._require_learned()[0].variances(), 0.0)
        return np.moveaxis(np.take_along_axis(variances, order, axis=0), 0, 2) * self._unit**2

    @property
    def means_(self) -> AnyArray:
        """Means, (H, W, n_components) for grey and (H, W, n_components, 3) for colour; 0 without a component."""
        weights, order = self._sorted_weights()
        mixtures, frame_format = self._require_learned()
        means = np.where(weights[:, :, None] > 0, mixtures.means(), 0.0)
        means = np.take_along_axis(means, order[:, :, None], axis=0).transpose(1, 3, 0, 2) * self._unit
        return means if len(frame_format.shape) == 3 else means[..., 0]

    @property
    def n_components_(self) -> AnyArray:
        """Number of components of each pixel, (H, W)."""
        n_components: AnyArray = (self._require_learned()[0].weights() > 0).sum(axis=0)
        return n_components

    def save(self, path: str | PathLike[str]) -> None:
        """Write parameters and mixtures to a file; a loaded copy continues bit for bit.

        Raises
        ------
        FrameError
            If no frame has been learned.
        FileError
            If the file cannot be written.
        """
        mixtures, frame_format = self._require_learned()
        save_background(path, StoredBackground(self.options, frame_format, self.n_frames_, mixtures))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "BackgroundMixture":
        """Return the background that `save` wrote.

        Raises
        ------
        FileError
            If there is no such file.
        ArchiveError
            If it is no background mixture, or is damaged.
        """
        stored = load_background(path)
        background = cls(**vars(stored.options))
        background._format, background._mixtures = stored.frame_format, stored.mixtures
        background.n_frames_ = stored.n_frames
        return background

    @property
    def _unit(self) -> np.float32 | np.float64:
        """Size of one level of brightness in the units of the frames."""
        is_byte = self._format is None or self._format.dtype == "uint8"
        # Double precision holds squares of units that single precision does not.
        return np.float32(1.0) if is_byte else np.float64(self.options.value_range / BYTE_RANGE)

    def _sorted_weights(self) -> tuple[AnyArray, AnyArray]:
        """Return the weights (K, H, W), and the slots from the heaviest to the lightest, (K, H, W)."""
        weights = self._require_learned()[0].weights()
        return weights, np.argsort(-weights, axis=0, kind="stable")

    def _require_learned(self) -> tuple[PixelMixtures, FrameFormat]:
        """Return mixtures and format; raise FrameError if no frame has been learned."""
        if self._mixtures is None or self._format is None:
            raise FrameError.nothing_learned()
        return self._mixtures, self._format
