"""``Problem``: what a solver fits: rows in a frame, a covariance estimator, and the engine that scores the rows."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import ColumnRange, Frame
from gaussmix.core.fused_em import FusedRunRows
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
    RowRequirement,
    Structure,
    make_covariance_estimator,
)
from gaussmix.engines import AbstractEngine, AbstractSession, AssignmentKind, resolve_engine
from gaussmix.errors import ParameterError, StartingValueError
from gaussmix.model.far_rows import FarRowLimits
from gaussmix.model.frame_fitting import fit_frame
from gaussmix.model.robust_scales import MAX_VARIANCE_RATIO
from gaussmix.sources import AbstractSource, IncompleteSource, MemorySource, SupportsRowHashSplit, require_capability
from gaussmix.sources.base import count_rows
from gaussmix.types import DD, ND, AnyArray, D, N


def make_memory_source(rows: AnyArray, weights: N | None = None) -> MemorySource:
    """Return rows (n, D) in memory, with optional weights (n,), as a source."""
    return MemorySource.from_array(rows, weights)


def make_incomplete_source(rows: AnyArray, completed_rows: ND, weights: N | None = None) -> IncompleteSource:
    """Return rows (n, D) in which NaN is a missing cell, with their completed rows (n, D), as a source."""
    return IncompleteSource.from_completed_rows(rows, make_memory_source(completed_rows, weights))


@dataclass(frozen=True)
class Problem:
    """A source in a frame that suits a structure, the covariance estimator of the structure, and an engine.

    ``total_moments`` are the diagonal moments of all rows as one group; ``column_range`` is the minimum and the
    maximum of each column. ``robust_variances`` (D,) are the variances of the columns without far rows where a few rows
    carry nearly all of the variance; None means those of all rows. All are in the frame.
    """

    source: AbstractSource
    covariance_estimator: CovarianceEstimator
    engine: AbstractEngine
    total_moments: Moments
    column_range: ColumnRange
    feature_names: tuple[str, ...] | None = None
    robust_variances: D | None = None

    @classmethod
    def from_source(
        cls,
        source: AbstractSource,
        structure: Structure,
        ridge: float | None = None,
        engine: AbstractEngine | str | None = None,
        feature_names: tuple[str, ...] | None = None,
    ) -> "Problem":
        """Make the problem of fitting a structure to a source, in a frame that is fitted first.

        Parameters
        ----------
        source : AbstractSource
        structure : Structure
        ridge : float, optional
            Amount added to every variance, in squared units of the data; by default variances get a floor.
        engine : AbstractEngine or str, optional
            By default it depends on the number of rows.
        feature_names : tuple of str, optional

        Raises
        ------
        DataError
            If the batches of the source cannot be used: NaN, negative weights, wrong shapes or positions.
        ParameterError
            If the structure does not suit the number of columns, or there is no such engine.
        """
        structure.check_n_features(source.n_features)
        if not isinstance(engine, AbstractEngine):
            n_rows = source.n_rows
            name = "auto" if engine is None else engine
            engine = resolve_engine(name, source.reduce(count_rows) if n_rows is None else n_rows)
        source, total_moments, column_range, variances = fit_frame(source, structure.is_column_scale_equivariant)
        regularizer = make_regularizer(source.frame, variances, structure, ridge)
        estimator = make_covariance_estimator(structure, regularizer)
        return cls(source, estimator, engine, total_moments, column_range, feature_names, variances)

    @cached_property
    def session(self) -> AbstractSession:
        """The engine, bound to the source."""
        return self.engine.bind(self.source)

    @cached_property
    def n_rows(self) -> int:
        """Number of rows; counted in a pass where the source does not know it."""
        n_rows = self.source.n_rows
        return self.source.reduce(count_rows) if n_rows is None else n_rows

    def e_step(
        self,
        model: ScoringModel,
        moment_kind: MomentKind | None = None,
        assignment: AssignmentKind = AssignmentKind.SOFT,
    ) -> Expectation:
        """Return the expectation of a model over all rows; ``moment_kind=None`` is the kind that the M-step needs."""
        moment_kind = moment_kind or self.covariance_estimator.moment_kind
        return self.session.e_step(model, moment_kind, assignment, self.pooled_total_moments_if_useful(moment_kind))

    def pooled_total_moments_if_useful(self, moment_kind: MomentKind) -> Moments | None:
        """Return `pooled_total_moments` for the kind POOLED_FULL, which an E-step can derive from them, else None."""
        return self.pooled_total_moments if moment_kind is MomentKind.POOLED_FULL else None

    @cached_property
    def pooled_total_moments(self) -> Moments:
        """Moments of all rows as one group, of the kind POOLED_FULL, in the frame."""
        session = self.engine.bind(self.source.with_label_prior(None))
        moments = session.e_step(CentersModel.uniform(self.total_moments.mean), MomentKind.FULL).moments
        return moments.to_kind(MomentKind.POOLED_FULL)

    @cached_property
    def rows_and_known_labels_for_fused_run(self) -> FusedRunRows | None:
        """Rows for a fused run; None if rows lack cells, or the label prior has more than known components."""
        prior = self.source.label_prior
        if not isinstance(prior, KnownComponents | None) or not self.source.is_complete:
            return None
        known = None if prior is None else np.ascontiguousarray(prior.labels, dtype=np.int64)
        rows, weights = self.source.collect(None)
        row_weights = None if (weights == 1.0).all() else np.ascontiguousarray(weights)
        return FusedRunRows(rows.view(), row_weights, known)  # an object of this problem: runners know rows by identity

    def total_log_max_responsibility(self, model: ScoringModel) -> float:
        """Return the sum over rows of weight times log of the largest responsibility, at most 0; used by ICL."""
        return self.e_step(model, MomentKind.NONE).total_log_max_responsibility

    @property
    def of_completed_rows(self) -> "Problem":
        """The problem of the rows with numbers in all cells, from which starts come; itself if no cell is missing."""
        return self if self.source.is_complete else replace(self, source=self.source.completion)

    def on_sample_of_rows(self, sample_rows_in_data_units: ND, weights: N) -> "Problem":
        """Return the problem on a sample (m, D) of its own rows, with the same frame, estimator and column range.

        The total moments are not computed again; they are scaled to the weight of the sample.
        """
        source = make_memory_source(sample_rows_in_data_units, weights).with_frame(self.source.frame)
        return replace(self, source=source)._with_total_weight(float(weights.sum()))

    def on_source(self, source: AbstractSource) -> "Problem":
        """Return the problem of the rows of another source, in the data's units, as `on_sample_of_rows` does."""
        total_weight = source.reduce(_sum_weights)
        return replace(self, source=source.with_frame(self.source.frame))._with_total_weight(total_weight)

    def split_by_row_hash(self, max_parts: int, key: int) -> list["Problem"]:
        """Return at most ``max_parts`` problems of similar size, none empty; a hash of its values decides a row's part.

        Equal rows are in the same part. Another key gives another split.
        """
        purpose = "a solver that works on parts of the rows"
        source = require_capability(self.source, SupportsRowHashSplit, purpose)  # type: ignore[type-abstract]
        parts = (replace(self, source=part) for part in source.split_by_row_hash(max_parts, key))
        return [part._with_total_weight(part.source.reduce(_sum_weights)) for part in parts]

    def _with_total_weight(self, total_weight: float) -> "Problem":
        """Return the problem with total moments scaled to ``total_weight``, the weight of a part of the rows."""
        return replace(self, total_moments=self.total_moments.scale_weights(total_weight / self.total_weight))

    def with_structure(self, structure: Structure) -> "Problem":
        """Return the problem of another structure, with the default variance floor and no prior, in the same frame."""
        regularizer = make_regularizer(self.source.frame, self.column_variances, structure, None)
        return replace(self, covariance_estimator=make_covariance_estimator(structure, regularizer))

    def with_floor_relative_to(self, reference_variances: D) -> "Problem":
        """Return the problem with a variance floor that is relative to given variances (D,), in the frame."""
        structure, exponents = self.covariance_estimator.structure, self.source.frame.total_exponent
        is_equivariant = structure.is_column_scale_equivariant
        floor = FloorRegularizer.from_overall_variances(reference_variances, exponents, is_equivariant)
        estimator = make_covariance_estimator(structure, floor, self.covariance_estimator.prior)
        return replace(self, covariance_estimator=estimator)

    def row_requirement(self, n_components: int) -> RowRequirement:
        """Return the rows that each component needs, and all together, for regular covariances; one each with a prior.

        Rows are counted by their weight.
        """
        if self.covariance_estimator.prior is not None:
            return RowRequirement(1, n_components)
        return self.covariance_estimator.structure.row_requirement(n_components, self.source.n_features)

    def with_prior(self, prior: DefaultPrior | None, n_components: int) -> "Problem":
        """Return the problem with a prior, or itself for None; open parameters of the prior depend on the data."""
        if prior is None:
            return self
        structure, regularizer = self.covariance_estimator.structure, self.covariance_estimator.regularizer
        estimator = make_covariance_estimator(structure, regularizer, self._fill_in_default_prior(prior, n_components))
        return replace(self, covariance_estimator=estimator)

    def _fill_in_default_prior(self, prior: DefaultPrior, n_components: int) -> NormalInverseWishart:
        """Return the prior in the frame, with parameters from the data where the user gave none."""
        frame, n_features = self.source.frame, self.source.n_features
        location, degrees, scale = prior.checked_parameters(n_features)
        center = self.total_moments.mean[0] if location is None else frame.transform_rows(location[None])[0]
        if scale is None:
            return NormalInverseWishart(prior.shrinkage, center, degrees, self._default_prior_scale(n_components))
        return NormalInverseWishart(prior.shrinkage, center, degrees, frame.transform_covariances(scale[None])[0])

    def _default_prior_scale(self, n_components: int) -> DD:
        """Return the covariance of all rows over K^(2/D), (D, D); for axis-aligned structures their mean variance."""
        exponents, n_features = self.source.frame.total_exponent, self.source.n_features
        if self.covariance_estimator.structure.is_axis_aligned:
            shifts = 2 * (exponents.min() - exponents)  # to the units of the column with the widest range
            mean = np.ldexp(self.total_moments.scatter[0], shifts).mean()
            with np.errstate(over="ignore"):
                scatter = np.diag(np.ldexp(np.full(n_features, mean), -shifts))
            if not np.isfinite(scatter).all():
                raise StartingValueError.prior_scale_overflow()
        else:
            scatter = self.pooled_total_moments.scatter
        return np.asarray(scatter / max(self.total_weight - 1.0, 1.0) / n_components ** (2.0 / n_features))

    @property
    def column_variances(self) -> D:
        """Variance of each column (D,) in the frame, without far rows where a few carry nearly all of it."""
        return self.overall_variances if self.robust_variances is None else self.robust_variances

    @property
    def overall_variances(self) -> D:
        """Variance of each column over all rows (D,), in the frame."""
        return np.asarray(self.total_moments.scatter[0] / self.total_moments.mass[0])

    @cached_property
    def far_row_columns(self) -> list[int]:
        """Positions of the columns of which a few far rows carry nearly all of the variance, ascending."""
        return [int(j) for j in np.flatnonzero(self.column_variances < MAX_VARIANCE_RATIO * self.overall_variances)]

    @cached_property
    def far_row_limits(self) -> FarRowLimits | None:
        """Limits, in the frame, beyond which a row is one of the few far ones; None without such rows."""
        columns = self.far_row_columns
        return FarRowLimits.from_source(self.source, columns, self.column_variances) if columns else None

    @cached_property
    def near_rows_problem(self) -> "Problem | None":
        """The problem of the rows that are not far; None without far rows."""
        if self.far_row_limits is None:
            return None
        rows, weights = self.source.collect(None)
        near = np.flatnonzero(~self.far_row_limits.are_far(rows))
        if isinstance(self.source, IncompleteSource):
            return self.on_source(self.source.take_rows(near))
        problem = self.on_sample_of_rows(self.source.frame.restore_means(rows[near]), weights[near])
        prior = self.source.label_prior
        near_prior = None if prior is None else prior.select_rows(near)
        return replace(problem, source=problem.source.with_label_prior(near_prior))

    @cached_property
    def total_weight(self) -> float:
        """Sum of the weights of all rows."""
        return float(self.total_moments.mass[0])

    @cached_property
    def constant_columns(self) -> list[int]:
        """Positions of the columns that have only one value, ascending."""
        return [int(j) for j in np.flatnonzero(self.overall_variances <= 0)]


def make_regularizer(
    frame: Frame, column_variances: D, structure: Structure, ridge: float | None
) -> AbstractRegularizer:
    """Return scikit-learn's ridge if ``ridge`` is a number, else a floor relative to variances (D,), in the frame."""
    if ridge is None:
        is_equivariant = structure.is_column_scale_equivariant
        return FloorRegularizer.from_overall_variances(column_variances, frame.total_exponent, is_equivariant)
    origin = frame.transform_rows(np.zeros((1, len(frame.center))))[0]
    with np.errstate(under="ignore", over="ignore"):
        added_variances = np.ldexp(np.full(len(origin), ridge), 2 * frame.total_exponent)
    if not np.isfinite(added_variances).all():
        allowed = "None, 0, or at most about 1e300 times the variance of every column"
        raise ParameterError.invalid_value("reg_covar", ridge, allowed)
    return RidgeRegularizer(added_variances, origin)


def _sum_weights(batch: Batch) -> float:
    """Return the total weight of a batch."""
    return float(batch.n_rows if batch.weights is None else batch.weights.sum())
