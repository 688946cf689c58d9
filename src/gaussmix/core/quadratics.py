"""``Quadratics``: all the data ever sees of a model, and ``ScoringModel``: what gives them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from gaussmix.core.precision_roots import AbstractPrecisionRoot, SphericalPrecisionRoot
from gaussmix.types import KD, Array, D, K


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)  # engines prepare a pass for each object
class Quadratics:
    """K constants, centers and precision roots: ``score[n, k] = offset[k] - |R_k^T (x_n - center_k)|^2 / 2``.

    For a Gaussian mixture ``offset = log weight + log |R| - D log(2 pi) / 2``, so that the score is
    the joint log density of row and component. An offset of minus infinity closes a component.

    Attributes
    ----------
    offset : ndarray of shape (K,)
    center : ndarray of shape (K, D)
    precision_root : AbstractPrecisionRoot
    tables : tuple of ndarray of shape (K, n_levels)
        For each categorical column the log probability of each level in each component. They are added to the score;
        a missing code (-1) adds nothing.
    log_side_lengths : ndarray of shape (D,) or None
        Log lengths of the sides of the box in which components with a root of zero are uniform; None without a box.
    """

    offset: K
    center: KD
    precision_root: AbstractPrecisionRoot
    tables: tuple[Array, ...] = ()
    log_side_lengths: D | None = None

    def with_tempered_scores(self, inverse_temperature: float) -> "Quadratics":
        """Return the quadratics whose scores are these times ``inverse_temperature``."""
        root = self.precision_root.scale(inverse_temperature**0.5)
        tables = tuple(table * inverse_temperature for table in self.tables)
        return Quadratics(self.offset * inverse_temperature, self.center, root, tables, self.log_side_lengths)

    @property
    def n_components(self) -> int:
        """Number of components K."""
        return len(self.center)

    @property
    def n_features(self) -> int:
        """Number of continuous columns D."""
        return int(self.center.shape[1])


class ScoringModel(Protocol):
    """A model that scores rows: a mixture, a posterior of variational Bayes, or the centers of k-means.

    A source with missing cells asks for the marginal model of each pattern of observed columns.
    """

    def to_quadratics(self) -> Quadratics:
        """Return the offsets, centers and precision roots by which the model scores rows."""
        ...

    def marginal(self, columns: Sequence[int]) -> "ScoringModel":
        """Return the model of some of the columns, by position."""
        ...


@dataclass(frozen=True)
class CentersModel:
    """Centers (K, D) and a metric that all columns enter independently: scores are minus half a squared distance.

    With a metric of zero the scores are zero, so that with known components an E-step returns their moments.
    """

    center: KD
    precision_root: AbstractPrecisionRoot
    offset: K | None = None

    @classmethod
    def uniform(cls, center: KD) -> "CentersModel":
        """Return the model in which all scores of rows and components are zero."""
        return cls(center, SphericalPrecisionRoot(np.zeros(len(center))))

    @classmethod
    def euclidean(cls, center: KD) -> "CentersModel":
        """Return the model whose scores are minus half the squared Euclidean distances."""
        return cls(center, SphericalPrecisionRoot(np.ones(len(center))))

    def to_quadratics(self) -> Quadratics:
        """Return the quadratics of the centers, the metric and the offsets, which are zero if there are none."""
        offset = np.zeros(len(self.center)) if self.offset is None else self.offset
        return Quadratics(offset, self.center, self.precision_root)

    def marginal(self, columns: Sequence[int]) -> "CentersModel":
        """Return the same centers in some of the columns, by position."""
        kept = np.asarray(columns, dtype=np.int64)
        return CentersModel(self.center[:, kept], self.precision_root.marginal(kept), self.offset)


@dataclass(frozen=True)
class TemperedModel:
    """A model whose scores are multiplied by an inverse temperature, as annealing does."""

    model: ScoringModel
    inverse_temperature: float

    def to_quadratics(self) -> Quadratics:
        """Return the quadratics of the model with all scores multiplied."""
        return self.model.to_quadratics().with_tempered_scores(self.inverse_temperature)

    def marginal(self, columns: Sequence[int]) -> "TemperedModel":
        """Return the tempered marginal of the model, by position of the columns."""
        return replace(self, model=self.model.marginal(columns))
