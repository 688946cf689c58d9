"""``Problem``: what is to be fitted, rows in their frame, the family, and the engine that passes over them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import Extent, Frame, frame_around
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import SphericalRoot
from gaussmix.covariance import (
    AbstractLimit,
    DefaultPrior,
    Floor,
    NormalInverseWishart,
    Ridge,
    Structure,
    StructuredFamily,
    family,
)
from gaussmix.engines import AbstractEngine, Assign, AutomaticEngine
from gaussmix.sources import AbstractSource, MemorySource
from gaussmix.types import DD, KD, ND, AnyArray, D, IntN, K, N

_FEW_ROWS = 20_000


def source_of(rows: AnyArray, weights: N | None = None) -> AbstractSource:
    """Rows (n, D) in memory as a source."""
    return MemorySource.of(rows, weights)


def flat(center: KD) -> Quadratics:
    """Quadratics that prefer no component: with hints alone, a pass gives the moments of a partition."""
    return Quadratics(np.zeros(len(center)), center, SphericalRoot(np.zeros(len(center))))


@dataclass(frozen=True)
class Problem:
    """A source framed for a structure, the structure's family, and an engine.

    ``total`` are the moments of all rows as one group, ``extent`` the smallest and largest value of
    each column, both in the frame.
    """

    source: AbstractSource
    family: StructuredFamily
    engine: AbstractEngine
    total: Moments
    extent: Extent
    feature_names: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        source: AbstractSource,
        structure: Structure,
        ridge: float | None = None,
        engine: AbstractEngine | None = None,
        feature_names: tuple[str, ...] | None = None,
    ) -> "Problem":
        """Frame the source for a structure.

        ``ridge=None`` puts a floor under the variances, ``engine=None`` chooses by the work of a pass.
        """
        structure.require_columns(source.n_features)
        engine = engine or AutomaticEngine(source.n_rows)
        source, total, extent = located(source, engine, structure.column_equivariant)
        limit = limit_of(source.frame, total, structure, ridge)
        return cls(source, family(structure, limit), engine, total, extent, feature_names)

    def expect(
        self, quadratics: Quadratics, kind: MomentKind | None = None, assign: Assign = Assign.SOFT
    ) -> Expectation:
        """One pass over all rows."""
        wanted = kind or self.family.kind
        total = self.pooled_total if wanted is MomentKind.POOLED_FULL else None
        return self.engine.sweep(self.source.reduce, quadratics, wanted, assign, total)

    @cached_property
    def pooled_total(self) -> Moments:
        """Pooled full moments of all rows as one group, in the frame: what a pass may take pooled scatter from."""
        start = flat(self.total.mean)
        moments = self.engine.sweep(self.source.hinted(None).reduce, start, MomentKind.FULL).moments
        return moments.reduce(MomentKind.POOLED_FULL)

    @cached_property
    def few_rows(self) -> tuple[ND, N | None, IntN | None] | None:
        """All rows in working coordinates, their weights, None for one each, and known components, None if no row has.

        None if rows are many, or have probabilities for hints.
        """
        if self.source.n_rows > _FEW_ROWS:
            return None
        known: IntN | None = None
        if self.source.is_hinted:
            hints = np.concatenate(self.source.reduce(lambda batch: [np.asarray(batch.hints)]))
            if hints.ndim != 1:
                return None
            known = np.ascontiguousarray(hints, dtype=np.int64)
        rows, weights = self.source.gather()
        return np.ascontiguousarray(rows), None if (weights == 1.0).all() else np.ascontiguousarray(weights), known

    def log_certainty(self, quadratics: Quadratics) -> float:
        """sum of w log(largest responsibility) over the rows: what unclear assignment costs in ICL."""

        def of(batch: Batch) -> float:
            ranked = self.engine.rank(quadratics, batch)
            certainty = ranked.top - ranked.log_density
            return float(certainty.sum() if batch.weights is None else batch.weights @ certainty)

        return self.source.reduce(of)

    def only(self, rows: ND, weights: N) -> "Problem":
        """The same problem, frame and family, on a sample of its rows (m, D) in the data's units."""
        source = source_of(rows, weights).framed(self.source.frame)
        return replace(self, source=source, total=self.total.scale(float(weights.sum()) / self.total_weight))

    def dealt(self, count: int, key: int) -> list["Problem"]:
        """The rows dealt out into problems of about as many each, by a hash of what they are; none is empty."""
        parts = self.source.dealt(count, key)
        return [replace(self, source=part, total=self.total.scale(part.weight / self.total_weight)) for part in parts]

    def recast(self, structure: Structure) -> "Problem":
        """The same rows for another structure, one whose frame is of the same kind; with a floor, not a ridge."""
        return replace(self, family=family(structure, limit_of(self.source.frame, self.total, structure, None)))

    def above(self, variances: D) -> "Problem":
        """The same problem with a floor that is a share of these variances (D,), in the frame, and no ridge's."""
        structure, powers = self.family.structure, self.source.frame.total_exponent
        floor = Floor.relative(variances, powers, structure.column_equivariant)
        return replace(self, family=family(structure, floor, self.family.prior))

    @property
    def rows_needed(self) -> int:
        """Rows of a component without which its covariance says nothing; with a prior one, as that says the rest."""
        return 1 if self.family.prior is not None else self.family.structure.rows_needed(self.source.n_features)

    def believing(self, prior: DefaultPrior | None, n_components: int) -> "Problem":
        """The same problem with a prior for so many components; what it leaves open is taken from the data."""
        if prior is None:
            return self
        structure, limit = self.family.structure, self.family.limit
        return replace(self, family=family(structure, limit, self._resolved(prior, n_components)))

    def _resolved(self, prior: DefaultPrior, n_components: int) -> NormalInverseWishart:
        """A prior in the frame, complete."""
        frame, n_features = self.source.frame, self.source.n_features
        location, degrees, scale = prior.of_columns(n_features)
        center = self.total.mean[0] if location is None else frame.apply(location[None])[0]
        inner = self._default_scale(n_components) if scale is None else frame.apply_covariances(scale[None])[0]
        return NormalInverseWishart(prior.shrinkage, center, degrees, inner)

    def _default_scale(self, n_components: int) -> DD:
        """The covariance of all rows, or the mean variance where structures lie along the axes, over K^(2/D)."""
        powers, n_features = self.source.frame.total_exponent, self.source.n_features
        if self.family.structure.orientation == "I":
            common = 2 * (powers.min() - powers)  # variances compared in the units of the widest column
            mean = np.ldexp(self.total.scatter[0], common).mean()
            scatter = np.diag(np.ldexp(np.full(n_features, mean), -common))
        else:
            scatter = self.pooled_total.scatter
        return np.asarray(scatter / max(self.total_weight - 1.0, 1.0) / n_components ** (2.0 / n_features))

    @property
    def variances(self) -> D:
        """Overall variance of each column, in the frame."""
        return np.asarray(self.total.scatter[0] / self.total.mass[0])

    @cached_property
    def total_weight(self) -> float:
        return float(self.total.mass[0])

    @property
    def constant_columns(self) -> list[int]:
        """Columns that have one value only."""
        return [int(j) for j in np.flatnonzero(self.variances <= 0)]


def located(
    source: AbstractSource, engine: AbstractEngine, per_column: bool
) -> tuple[AbstractSource, Moments, Extent]:
    """The source in a frame centred near its mean and scaled near its spread, with its moments and extent there."""
    extent = source.reduce(lambda batch: Extent.of(batch.counted))
    first = extent.frame(per_column)
    mean, variance, _ = _overall(source.framed(first), engine)
    frame = frame_around(first, mean, np.sqrt(variance), per_column)
    framed = source.framed(frame)
    mean, variance, mass = _overall(framed, engine)
    total = Moments(mass, mean[None], (variance * mass)[None], MomentKind.DIAGONAL)
    return framed, total, Extent(*frame.apply(np.array([extent.low, extent.high])))


def _overall(source: AbstractSource, engine: AbstractEngine) -> tuple[D, D, K]:
    """Mean and variance of each column, and the total weight (1,), of all rows as one group."""
    start = flat(np.zeros((1, source.n_features)))
    moments = engine.sweep(source.hinted(None).reduce, start, MomentKind.DIAGONAL).moments
    variance = np.maximum(moments.scatter[0], 0.0) / moments.mass[0]
    return moments.mean[0], variance, moments.mass


def limit_of(frame: Frame, total: Moments, structure: Structure, ridge: float | None) -> AbstractLimit:
    """scikit-learn's ridge where a number is given, else the floor relative to the overall variance."""
    if ridge is None:
        overall = total.scatter[0] / total.mass[0]
        return Floor.relative(overall, frame.total_exponent, structure.column_equivariant)
    origin = frame.apply(np.zeros((1, len(frame.center))))[0]
    with np.errstate(under="ignore", over="ignore"):
        amounts = np.ldexp(np.full(len(origin), ridge), 2 * frame.total_exponent)
    return Ridge(amounts, origin)
