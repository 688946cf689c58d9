"""Discriminant analysis by one mixture whose components belong to all classes.

Each component has a probability for each class, and the class is one more categorical column of the mixture (Hastie &
Tibshirani, "Discriminant analysis by Gaussian mixtures", JRSS B 58, 1996, section 5; Miller & Uyar, NIPS 9, 1997).
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.classification.families.base import (
    MIN_ROWS_PER_COMPONENT,
    PRIOR_ROWS,
    AbstractFamily,
    require_rows_for_components,
    search_components,
)
from gaussmix.classification.families.block_choice import list_correlated_blocks
from gaussmix.classification.families.class_fits import ClassFits, cluster_rows, prior_at, start_at
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.spec_choice import ChoiceRequest, SpecChoice
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.mixed_em import EMResult, hard_responsibilities, run_em
from gaussmix.classification.mixed.mixed_m_step import MixedMStep, make_block_estimator
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import MixedPrior, PriorStrength
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.types import ND, IntN, N

_STRUCTURE = "VVV"


@dataclass(frozen=True, eq=False)
class SharedFits(AbstractFamilyFits):
    """Fits of all rows together, with the class as one more categorical column.

    Attributes
    ----------
    rows : TrainingRows
    strength : PriorStrength
        Its ``levels`` also keep every class possible in every component.
    """

    strength: PriorStrength = field(default_factory=PriorStrength)
    _results: dict[tuple[int, int], EMResult] = field(default_factory=dict, kw_only=True)

    def needs_starts(self, spec: MixtureSpec) -> bool:
        """Return whether there is more than one component."""
        return spec.n_components[0] > 1

    def fit_generative(self, spec: MixtureSpec, seed: int) -> MixedMixture:
        """Return the mixture of all classes."""
        mixture = self._fit(spec.n_components[0], seed).mixture
        return replace(
            mixture,
            layout=self.rows.layout,
            class_log_probabilities=mixture.tables[-1],
            tables=mixture.tables[:-1],
        )

    def count_iterations(self, spec: MixtureSpec, seed: int) -> int:
        """Return the number of EM iterations."""
        return len(self._fit(spec.n_components[0], seed).trace)

    def _fit(self, n_components: int, seed: int) -> EMResult:
        """Return the mixture of the rows with their classes as the last categorical column; it is fitted once."""
        key = (n_components, seed)
        if key not in self._results:
            rows, prior = self._rows_with_classes, self._prior.select_components([0] * n_components)
            m_step = MixedMStep(prior, make_block_estimator(_STRUCTURE, len(rows.layout.block)))
            partition = self._partition_classes(n_components, seed)[rows.order]
            responsibilities = hard_responsibilities(partition, n_components)
            self._results[key] = run_em(start_at(prior, rows.layout), rows, m_step, responsibilities)
        return self._results[key]

    @cached_property
    def _class_fits(self) -> ClassFits:
        """The rows and the moments of each class."""
        return ClassFits(self.rows, self.strength)

    @cached_property
    def _rows_with_classes(self) -> MixedRows:
        """The features of the rows, of which the class is the last categorical column."""
        rows = self.rows
        layout = replace(rows.layout, n_levels=(*rows.layout.n_levels, rows.n_classes))
        codes = np.column_stack([rows.codes, rows.classes])
        return MixedRows.from_cells(layout, rows.numeric, codes, rows.weights)

    @cached_property
    def _prior(self) -> MixedPrior:
        """The prior of one component: means and levels of all rows, and variances and covariances within classes."""
        overall = self._class_fits.class_moments(-1)
        within = [self._class_fits.class_moments(label) for label in range(self.rows.n_classes)]
        fractions = self.rows.class_weights / self.rows.class_weights.sum()
        return MixedPrior(
            self.strength,
            overall.means,
            np.asarray(sum(f * moments.variances for f, moments in zip(fractions, within, strict=True))),
            np.asarray(sum(f * moments.covariances for f, moments in zip(fractions, within, strict=True))),
            (*(np.exp(table) for table in overall.tables), fractions[None]),
        )

    def _partition_classes(self, n_components: int, seed: int) -> IntN:
        """Return the component (n,) of each row in the first M-step: groups within each class, by k-means.

        With fewer components than classes the groups are of all rows.
        """
        rows = self.rows
        if n_components < rows.n_classes:
            return _cluster_in_original_order(self._rows_with_classes, self._prior, n_components, seed)
        partition, n_groups = np.empty(rows.n_rows, dtype=np.int64), 0
        for label, count in enumerate(allocate_components(rows.class_weights, n_components)):
            features = self._class_fits.class_rows(label).mixed_rows
            prior = prior_at(self._class_fits.class_moments(label), self.strength, 1)
            groups = _cluster_in_original_order(features, prior, count, seed)
            partition[rows.classes == label] = n_groups + groups
            n_groups += count
        return partition


def _cluster_in_original_order(rows: MixedRows, prior: MixedPrior, n_components: int, seed: int) -> IntN:
    """Return labels (n,) of the rows by k-means, in the original order of the rows."""
    labels = np.empty(rows.n_rows, dtype=np.int64)
    labels[rows.order] = cluster_rows(rows, prior, n_components, seed)
    return labels


def allocate_components(class_weights: N, n_components: int) -> tuple[int, ...]:
    """Return a number of components for each class (Y,), at least one, in proportion to the weights of the classes.

    The next one goes to the class with the most weight per component (D'Hondt's rule).
    """
    counts = np.ones(len(class_weights), dtype=np.int64)
    while counts.sum() < n_components:
        counts[np.argmax(class_weights / (counts + 1))] += 1
    return tuple(counts.tolist())


@dataclass(frozen=True)
class SharedMixture(AbstractFamily[SharedFits]):
    """One mixture of all classes, whose number of components is chosen by the log-loss of unseen rows."""

    strength: PriorStrength = field(default_factory=PriorStrength)

    name = "shared"
    has_shared_components = True
    default_max_components = 16

    def list_blocks(self, numeric: ND, classes: IntN, weights: N) -> tuple[tuple[int, ...], ...]:
        """Return the positions of the columns that surely correlate within the classes, and of those that may."""
        return list_correlated_blocks(numeric, classes, weights)

    def simplest_spec(self, n_classes: int) -> MixtureSpec:
        """Return as many components as classes."""
        return MixtureSpec((n_classes,), (_STRUCTURE,))

    def make_fits(self, rows: TrainingRows) -> SharedFits:
        """Return the fits of some rows."""
        return SharedFits(rows, self.strength)

    def list_priors(self) -> tuple["SharedMixture", ...]:
        """Return the family with priors of its covariances that count as more and more rows."""
        return tuple(SharedMixture(replace(self.strength, covariance=rows)) for rows in PRIOR_ROWS)

    def choose_spec(
        self,
        fits: SharedFits,
        request: ChoiceRequest,
        validation: CrossValidation | None,
        options: MemberOptions,
        start: MixtureSpec | None = None,
    ) -> SpecChoice:
        """Return the given number of components, or the one with the smallest cross-validated log-loss.

        Without rows to validate it is one component for each class.
        """
        rows = fits.rows
        if request.n_components is not None:
            require_rows_for_components(rows, request.n_components)
            return SpecChoice(MixtureSpec(request.n_components, (_STRUCTURE,)))
        if validation is None:
            return SpecChoice(self.simplest_spec(rows.n_classes))
        n_supported = int(rows.class_weights.sum()) // MIN_ROWS_PER_COMPONENT
        most = max(1, min(request.max_components, n_supported))
        candidates = search_components(validation, options, MixtureSpec((most,), (_STRUCTURE,)), start)
        return SpecChoice(MixtureSpec(candidates[0].n_components, (_STRUCTURE,)), candidates)
