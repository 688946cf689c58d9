"""``Problem``: what is to be fitted, rows in their frame, the family, and the engine that passes over them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import ColumnRange, Frame, frame_from_mean_and_deviation
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import CentersModel, ScoringModel
from gaussmix.covariance import (
    AbstractRegularizer,
    CovarianceEstimator,
    DefaultPrior,
    FloorRegularizer,
    NormalInverseWishart,
    RidgeRegularizer,
    Structure,
    make_covariance_estimator,
)
from gaussmix.engines import AbstractEngine, AbstractSession, AssignmentKind, resolve_engine
from gaussmix.model import prediction
from gaussmix.sources import AbstractSource, MemorySource, SupportsRandomSplit, require_capability
from gaussmix.sources.base import count_rows
from gaussmix.types import DD, ND, AnyArray, D, IntN, K, N

_MAX_FUSED_ROWS = 20_000


def make_memory_source(rows: AnyArray, weights: N | None = None) -> MemorySource:
    """Rows (n, D) in memory as a source."""
    return MemorySource.from_array(rows, weights)


@dataclass(frozen=True)
class Problem:
    """A source framed for a structure, the structure's family, and an engine.

    ``total`` are the moments of all rows as one group, ``extent`` the smallest and largest value of
    each column, both in the frame.
    """

    source: AbstractSource
    covariance_estimator: CovarianceEstimator
    engine: AbstractEngine
    total_moments: Moments
    column_range: ColumnRange
    feature_names: tuple[str, ...] | None = None

    @classmethod
    def from_source(
        cls,
        source: AbstractSource,
        structure: Structure,
        ridge: float | None = None,
        engine: AbstractEngine | str | None = None,
        feature_names: tuple[str, ...] | None = None,
    ) -> "Problem":
        """Frame the source for a structure.

        ``ridge=None`` puts a floor under the variances, ``engine=None`` chooses by the work of a pass.
        """
        structure.check_n_features(source.n_features)
        if engine is None or isinstance(engine, str):
            n_rows = source.n_rows
            engine = resolve_engine(engine or "auto", source.reduce(count_rows) if n_rows is None else n_rows)
        source, total, extent = fit_frame(source, engine, structure.is_column_scale_equivariant)
        limit = make_regularizer(source.frame, total, structure, ridge)
        return cls(source, make_covariance_estimator(structure, limit), engine, total, extent, feature_names)

    @cached_property
    def session(self) -> AbstractSession:
        """The engine at work on the source."""
        return self.engine.bind(self.source)

    @cached_property
    def n_rows(self) -> int:
        """Number of rows; counted in a pass where the source does not know it."""
        n_rows = self.source.n_rows
        return self.source.reduce(count_rows) if n_rows is None else n_rows

    def e_step(
        self, model: ScoringModel, kind: MomentKind | None = None, assignment: AssignmentKind = AssignmentKind.SOFT
    ) -> Expectation:
        """Return the expectation of a model over all rows; by default with the moments that the structure needs."""
        moment_kind = kind or self.covariance_estimator.moment_kind
        return self.session.e_step(model, moment_kind, assignment, self.total_moments_for(moment_kind))

    def total_moments_for(self, moment_kind: MomentKind) -> Moments | None:
        """Return the moments of all rows as one group where an E-step can derive scatter from them, else None."""
        return self.pooled_total_moments if moment_kind is MomentKind.POOLED_FULL else None

    @cached_property
    def pooled_total_moments(self) -> Moments:
        """Pooled full moments of all rows as one group, in the frame."""
        session = self.engine.bind(self.source.with_label_prior(None))
        moments = session.e_step(CentersModel.uniform(self.total_moments.mean), MomentKind.FULL).moments
        return moments.to_kind(MomentKind.POOLED_FULL)

    @cached_property
    def fused_run_inputs(self) -> tuple[ND, N | None, IntN | None] | None:
        """Rows in working coordinates, weights (None for one each) and known components (None if no row has one).

        None if there are many rows, or if the label prior holds more than known components.
        """
        prior = self.source.label_prior
        if self.n_rows > _MAX_FUSED_ROWS or not isinstance(prior, KnownComponents | None):
            return None
        known = None if prior is None else np.ascontiguousarray(prior.labels, dtype=np.int64)
        rows, weights = self.source.collect(None)
        return np.ascontiguousarray(rows), None if (weights == 1.0).all() else np.ascontiguousarray(weights), known

    def total_log_max_responsibility(self, model: ScoringModel) -> float:
        """Return the sum over rows of weight times log of the largest responsibility: what ICL subtracts from BIC."""
        return prediction.total_log_max_responsibility(model, self.session)

    def on_rows(self, rows: ND, weights: N) -> "Problem":
        """The same problem, frame and family, on a sample of its rows (m, D) in the data's units."""
        source = make_memory_source(rows, weights).with_frame(self.source.frame)
        return replace(
            self, source=source, total_moments=self.total_moments.scale(float(weights.sum()) / self.total_weight)
        )

    def random_split(self, n_parts: int, seed: int) -> list["Problem"]:
        """The rows dealt out into problems of about as many each, by a hash of what they are; none is empty."""
        purpose = "a solver that works on parts of the rows"
        source = require_capability(self.source, SupportsRandomSplit, purpose)  # type: ignore[type-abstract]
        parts = (replace(self, source=part) for part in source.random_split(n_parts, seed))
        return [part._with_total_weight(part.source.reduce(_sum_weights)) for part in parts]

    def _with_total_weight(self, total_weight: float) -> "Problem":
        return replace(self, total_moments=self.total_moments.scale(total_weight / self.total_weight))

    def with_structure(self, structure: Structure) -> "Problem":
        """The same rows for another structure, one whose frame is of the same kind; with a floor, not a ridge."""
        return replace(
            self,
            covariance_estimator=make_covariance_estimator(
                structure, make_regularizer(self.source.frame, self.total_moments, structure, None)
            ),
        )

    def with_floor(self, reference_variances: D) -> "Problem":
        """The same problem with a floor that is a share of these variances (D,), in the frame, and no ridge's."""
        structure, powers = self.covariance_estimator.structure, self.source.frame.total_exponent
        floor = FloorRegularizer.from_overall_variances(
            reference_variances, powers, structure.is_column_scale_equivariant
        )
        return replace(
            self, covariance_estimator=make_covariance_estimator(structure, floor, self.covariance_estimator.prior)
        )

    @property
    def min_component_rows(self) -> int:
        """Rows of a component without which its covariance says nothing; with a prior one, as that says the rest."""
        return (
            1
            if self.covariance_estimator.prior is not None
            else self.covariance_estimator.structure.min_rows(self.source.n_features)
        )

    def with_prior(self, prior: DefaultPrior | None, n_components: int) -> "Problem":
        """The same problem with a prior for so many components; what it leaves open is taken from the data."""
        if prior is None:
            return self
        structure, limit = self.covariance_estimator.structure, self.covariance_estimator.regularizer
        return replace(
            self,
            covariance_estimator=make_covariance_estimator(structure, limit, self._complete_prior(prior, n_components)),
        )

    def _complete_prior(self, prior: DefaultPrior, n_components: int) -> NormalInverseWishart:
        """A prior in the frame, complete."""
        frame, n_features = self.source.frame, self.source.n_features
        location, degrees, scale = prior.checked_parameters(n_features)
        center = self.total_moments.mean[0] if location is None else frame.transform_rows(location[None])[0]
        inner = (
            self._default_prior_scale(n_components) if scale is None else frame.transform_covariances(scale[None])[0]
        )
        return NormalInverseWishart(prior.shrinkage, center, degrees, inner)

    def _default_prior_scale(self, n_components: int) -> DD:
        """The covariance of all rows, or the mean variance where structures lie along the axes, over K^(2/D)."""
        powers, n_features = self.source.frame.total_exponent, self.source.n_features
        if self.covariance_estimator.structure.is_axis_aligned:
            common = 2 * (powers.min() - powers)  # variances compared in the units of the widest column
            mean = np.ldexp(self.total_moments.scatter[0], common).mean()
            scatter = np.diag(np.ldexp(np.full(n_features, mean), -common))
        else:
            scatter = self.pooled_total_moments.scatter
        return np.asarray(scatter / max(self.total_weight - 1.0, 1.0) / n_components ** (2.0 / n_features))

    @property
    def column_variances(self) -> D:
        """Overall variance of each column, in the frame."""
        return np.asarray(self.total_moments.scatter[0] / self.total_moments.mass[0])

    @cached_property
    def total_weight(self) -> float:
        return float(self.total_moments.mass[0])

    @property
    def constant_columns(self) -> list[int]:
        """Columns that have one value only."""
        return [int(j) for j in np.flatnonzero(self.column_variances <= 0)]


def fit_frame(
    source: AbstractSource, engine: AbstractEngine, scale_per_column: bool
) -> tuple[AbstractSource, Moments, ColumnRange]:
    """The source in a frame centred near its mean and scaled near its spread, with its moments and extent there."""
    extent = source.reduce(column_range)
    first = extent.bounding_frame(scale_per_column)
    mean, variance, _ = _column_means_and_variances(source.with_frame(first), engine)
    frame = frame_from_mean_and_deviation(first, mean, np.sqrt(variance), scale_per_column)
    framed = source.with_frame(frame)
    mean, variance, mass = _column_means_and_variances(framed, engine)
    total = Moments(mass, mean[None], (variance * mass)[None], MomentKind.DIAGONAL)
    return framed, total, ColumnRange(*frame.transform_rows(np.array([extent.minimum, extent.maximum])))


def _column_means_and_variances(source: AbstractSource, engine: AbstractEngine) -> tuple[D, D, K]:
    """Mean and variance of each column, and the total weight (1,), of all rows as one group."""
    start = CentersModel.uniform(np.zeros((1, source.n_features)))
    moments = engine.bind(source.with_label_prior(None)).e_step(start, MomentKind.DIAGONAL).moments
    variance = np.maximum(moments.scatter[0], 0.0) / moments.mass[0]
    return moments.mean[0], variance, moments.mass


def make_regularizer(
    frame: Frame, total_moments: Moments, structure: Structure, ridge: float | None
) -> AbstractRegularizer:
    """scikit-learn's ridge where a number is given, else the floor relative to the overall variance."""
    if ridge is None:
        overall = total_moments.scatter[0] / total_moments.mass[0]
        return FloorRegularizer.from_overall_variances(
            overall, frame.total_exponent, structure.is_column_scale_equivariant
        )
    origin = frame.transform_rows(np.zeros((1, len(frame.center))))[0]
    with np.errstate(under="ignore", over="ignore"):
        amounts = np.ldexp(np.full(len(origin), ridge), 2 * frame.total_exponent)
    return RidgeRegularizer(amounts, origin)


def column_range(batch: Batch) -> ColumnRange:
    """Return the smallest and largest value of each column of a batch, in the frame."""
    return ColumnRange.from_rows(batch.positive_weight_rows)


def _sum_weights(batch: Batch) -> float:
    return float(batch.n_rows if batch.weights is None else batch.weights.sum())
