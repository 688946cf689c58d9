"""EM of the rows of one class, from k-means, with a prior at the moments of the class."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.classification.families.members import AbstractFamilyFits, MixtureSpec
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_em import EMResult, hard_responsibilities, run_em
from gaussmix.classification.mixed.mixed_m_step import MixedMStep, make_block_estimator
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import MixedPrior, PriorStrength
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.core.random_numbers import make_generator
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.estimators import KMeans
from gaussmix.types import IntN, N

_STRUCTURE = "VVV"
_TOLERANCE = 1e-4  # of the mean log posterior density per row; most fits are refined afterwards
_ROWS_PER_LEVEL = 0.5
_LEVEL_SCALE = 0.7  # of an indicator beside standardised numbers, in the k-means start
_MAX_START_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class ClassFits(AbstractFamilyFits):
    """Fits of the rows of each class, kept by class, number of components and seed.

    Attributes
    ----------
    rows : TrainingRows
    strength : PriorStrength
    """

    strength: PriorStrength = field(default_factory=PriorStrength)
    _results: dict[tuple[int, int, int], EMResult] = field(default_factory=dict)
    _class_rows: dict[int, TrainingRows] = field(default_factory=dict)
    _moments: dict[int, EMResult] = field(default_factory=dict)

    def needs_starts(self, spec: MixtureSpec) -> bool:
        """Return whether a class has more than one component."""
        return max(spec.n_components) > 1

    def fit_generative(self, spec: MixtureSpec, seed: int) -> MixedMixture:
        """Return the mixtures of all classes as one."""
        mixtures = [self.fit_class(label, count, seed).mixture for label, count in enumerate(spec.n_components)]
        return join_classes(mixtures, self.rows.class_weights)

    def count_iterations(self, spec: MixtureSpec, seed: int) -> int:
        """Return the largest number of EM iterations of a class."""
        return max(len(self.fit_class(label, count, seed).trace) for label, count in enumerate(spec.n_components))

    @cached_property
    def _estimator(self) -> AbstractCovarianceEstimator:
        """The estimator of the block's covariances."""
        return make_block_estimator(_STRUCTURE, len(self.rows.layout.block))

    def fit_class(self, label: int, n_components: int, seed: int) -> EMResult:
        """Return the mixture of the rows of a class; it is fitted once for each number of components and seed."""
        key = (label, n_components, 0 if n_components == 1 else seed)
        if key not in self._results:
            self._results[key] = self._run(label, n_components, seed)
        return self._results[key]

    def class_rows(self, label: int) -> TrainingRows:
        """Return the rows of a class."""
        if label not in self._class_rows:
            self._class_rows[label] = self.rows.select_class(label)
        return self._class_rows[label]

    def class_moments(self, label: int) -> MixedMixture:
        """Return the single component of a class, with a prior at the moments of all rows; all rows are label -1."""
        return self._fit_one_component(label).mixture

    def _fit_one_component(self, label: int) -> EMResult:
        """Fit a single component to the rows of a class, or to all rows; it is fitted once."""
        if label not in self._moments:
            if label < 0:
                rows, prior = self.rows.mixed_rows, standard_prior(self.rows.layout, self.strength)
            else:
                rows = self.class_rows(label).mixed_rows
                prior = smooth_levels(prior_at(self._fit_one_component(-1).mixture, self.strength, 1))
            m_step = MixedMStep(prior, self._estimator)
            self._moments[label] = run_em(start_at(prior, rows.layout), rows, m_step, np.ones((1, rows.n_rows)))
        return self._moments[label]

    def _run(self, label: int, n_components: int, seed: int) -> EMResult:
        """Fit a mixture to the rows of a class."""
        if n_components == 1:
            return self._fit_one_component(label)  # a prior at its own moments would count its rows twice
        rows = self.class_rows(label)
        prior = prior_at(self.class_moments(label), self.strength, n_components)
        start = start_at(prior, rows.layout)
        labels = cluster_rows(rows.mixed_rows, prior, n_components, seed)
        responsibilities = hard_responsibilities(labels, n_components)
        m_step = MixedMStep(prior, self._estimator)
        return run_em(start, rows.mixed_rows, m_step, responsibilities, tol=_TOLERANCE)


def smooth_levels(prior: MixedPrior) -> MixedPrior:
    """Return a prior whose level probabilities lean towards equal ones, by half a pseudo-observation of each level.

    Levels that are rare in all rows are thereby no evidence for the class of the few rows that have them.
    """
    total = prior.strength.levels
    tables = tuple(
        (total * table + _ROWS_PER_LEVEL) / (total + _ROWS_PER_LEVEL * table.shape[1])
        for table in prior.level_probabilities
    )
    return replace(prior, level_probabilities=tables)


def standard_prior(layout: FeatureLayout, strength: PriorStrength) -> MixedPrior:
    """Return the prior of one component of standardised columns: mean 0, variance 1, equal levels."""
    n_independent, n_block = len(layout.independent_columns), len(layout.block)
    return MixedPrior(
        strength,
        np.zeros((1, layout.n_numeric)),
        np.ones((1, n_independent)),
        np.eye(n_block)[None],
        tuple(np.full((1, n), 1.0 / n) for n in layout.n_levels),
    )


def prior_at(moments: MixedMixture, strength: PriorStrength, n_components: int) -> MixedPrior:
    """Return the prior of K components at the moments of a mixture of one component."""
    tables = tuple(np.exp(table) for table in moments.tables)
    prior = MixedPrior(strength, moments.means, moments.variances, moments.covariances, tables)
    return prior.select_components(np.zeros(n_components, dtype=np.int64))


def start_at(prior: MixedPrior, layout: FeatureLayout) -> MixedMixture:
    """Return the mixture of a single class whose components are at the prior."""
    n_components = len(prior.means)
    with np.errstate(divide="ignore"):
        tables = tuple(np.log(table) for table in prior.level_probabilities)
    return MixedMixture(
        layout,
        np.full(n_components, -np.log(n_components)),
        np.zeros((n_components, 1)),
        prior.means,
        prior.variances,
        prior.covariances,
        tables,
    )


def cluster_rows(rows: MixedRows, prior: MixedPrior, n_components: int, seed: int) -> IntN:
    """Return labels (n,) of the sorted rows by k-means, with missing cells at the mean of the class."""
    layout = rows.layout
    if n_components == 1 or layout.n_features == 1:  # without columns there is nothing to tell rows apart
        return np.zeros(rows.n_rows, dtype=np.int64)
    independent, block = layout.independent_columns, layout.block_columns
    numeric = np.empty((rows.n_rows, layout.n_numeric))
    is_present = rows.features[:, layout.present] > 0
    numeric[:, independent] = np.where(is_present, rows.features[:, layout.values], prior.means[0, independent])
    numeric[:, block] = prior.means[0, block]
    for is_observed, chosen in zip(rows.is_observed, rows.pattern_rows, strict=True):
        values = rows.features[chosen, layout.block_values]
        numeric[chosen, block[is_observed]] = values[:, is_observed]
    scales = np.empty(layout.n_numeric)
    scales[independent] = np.sqrt(prior.variances[0])
    scales[block] = np.sqrt(np.einsum("ii->i", prior.covariances[0]))
    indicators = rows.features[:, layout.block_products.stop :]
    points = np.hstack([numeric / scales, _LEVEL_SCALE * indicators])
    rng = make_generator(seed)
    sample, weights = points, rows.weights
    if len(points) > _MAX_START_ROWS:
        drawn = rng.choice(len(points), _MAX_START_ROWS, replace=False)
        sample, weights = points[drawn], None if weights is None else weights[drawn]
    n_clusters = min(n_components, len(np.unique(sample, axis=0)))
    kmeans = KMeans(n_clusters, n_init=1, random_state=int(rng.integers(2**31))).fit(sample, sample_weight=weights)
    return np.asarray(kmeans.predict(points), dtype=np.int64)


def join_classes(mixtures: list[MixedMixture], class_weights: N) -> MixedMixture:
    """Return one mixture of all components of the mixtures of the classes, whose weights are ``class_weights`` (Y,)."""
    log_priors = np.log(class_weights / class_weights.sum())
    sizes = [mixture.n_components for mixture in mixtures]
    owners = np.repeat(np.arange(len(mixtures)), sizes)
    class_log_probabilities = np.where(owners[:, None] == np.arange(len(mixtures)), 0.0, -np.inf)
    first = mixtures[0]
    return replace(
        first,
        log_weights=np.concatenate([mixture.log_weights for mixture in mixtures]) + np.repeat(log_priors, sizes),
        class_log_probabilities=class_log_probabilities,
        means=np.concatenate([mixture.means for mixture in mixtures]),
        variances=np.concatenate([mixture.variances for mixture in mixtures]),
        covariances=np.concatenate([mixture.covariances for mixture in mixtures]),
        tables=tuple(np.concatenate(tables) for tables in zip(*(m.tables for m in mixtures), strict=True)),
    )
