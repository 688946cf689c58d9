"""``Quadratics``: all the data ever sees of a model."""

from dataclasses import dataclass

from gaussmix.core.precision_roots import AbstractPrecisionRoot
from gaussmix.types import KD, K


@dataclass(frozen=True, slots=True)
class Quadratics:
    """K constants, centres and precision roots: ``score[n, k] = offset[k] - |R_k^T (x_n - center_k)|^2 / 2``.

    For a Gaussian mixture ``offset = log weight + log |R| - D log(2 pi) / 2``, so that the score is
    the joint log density of row and component. An offset of minus infinity closes a component.
    """

    offset: K
    center: KD
    precision_root: AbstractPrecisionRoot

    def temper_scores(self, inverse_temperature: float) -> "Quadratics":
        """The same quadratics with all scores times a number."""
        root = self.precision_root.scale(inverse_temperature**0.5)
        return Quadratics(self.offset * inverse_temperature, self.center, root)

    @property
    def n_components(self) -> int:
        return len(self.center)

    @property
    def n_features(self) -> int:
        return int(self.center.shape[1])
