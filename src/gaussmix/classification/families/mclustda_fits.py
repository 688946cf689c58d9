"""Fits of a mixture to the rows of each class, for all structures and numbers of components.

Numbers without gaps are searched as by ``gaussmix.select``, which reproduces mclust's criteria. Other rows are fitted
by EM of mixed mixtures, from k-means partitions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.families.class_fits import ClassFits, cluster_rows, join_classes, prior_at
from gaussmix.classification.families.edda import EddaFits
from gaussmix.classification.families.gaussian_search import search_gaussian_mixtures, to_mixed_mixture
from gaussmix.classification.families.members import AbstractFamilyFits, MixtureSpec
from gaussmix.classification.families.structure_search import (
    EM_MAX_ITER,
    MAXIMUM_LIKELIHOOD,
    StructureCandidate,
    list_structures,
    sort_candidates,
)
from gaussmix.classification.families.structured_runs import StructuredRun, converge_contenders, lowest_criterion
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.selection.candidates import Candidate

_MAX_COUNTS_WITHOUT_GAIN = 2  # numbers of components in a row, before EM tries no larger ones


class ClassSearch(NamedTuple):
    """What is tried for the rows of a class: numbers of components, ascending, a structure or all, and a seed."""

    label: int
    counts: tuple[int, ...]
    structure: str | None
    seed: int


class ClassFit(NamedTuple):
    """The mixture of a class, and the number of EM iterations that led to it."""

    mixture: MixedMixture
    n_iter: int


class ClassCandidate(NamedTuple):
    """A candidate for the rows of a class, and its fit; None if it is degenerate."""

    candidate: StructureCandidate
    fit: ClassFit | None


@dataclass(frozen=True, eq=False)
class MclustdaFits(AbstractFamilyFits):
    """Fits of the rows of each class, kept by class, number of components, structure and seed.

    Attributes
    ----------
    rows : TrainingRows
    """

    _candidates: dict[tuple[int, int, str, int], ClassCandidate] = field(default_factory=dict, kw_only=True)

    @cached_property
    def _class_fits(self) -> ClassFits:
        """The rows and the moments of each class."""
        return ClassFits(self.rows)

    @cached_property
    def _edda_fits(self) -> EddaFits:
        """Fits of one component for each class."""
        return EddaFits(self.rows)

    def needs_starts(self, spec: MixtureSpec) -> bool:
        """Return whether a class has several components that start from k-means."""
        return any(count > 1 and not self._is_complete(label) for label, count in enumerate(spec.n_components))

    def fit_generative(self, spec: MixtureSpec, seed: int) -> MixedMixture:
        """Return the mixtures of all classes as one."""
        return join_classes([fit.mixture for fit in self._fit_classes(spec, seed)], self.rows.class_weights)

    def count_iterations(self, spec: MixtureSpec, seed: int) -> int:
        """Return the largest number of EM iterations of a class."""
        return max(fit.n_iter for fit in self._fit_classes(spec, seed))

    def _fit_classes(self, spec: MixtureSpec, seed: int) -> list[ClassFit]:
        """Return the mixture of each class."""
        pairs = zip(spec.n_components, spec.structures, strict=True)
        return [self._fit_class(label, count, structure, seed) for label, (count, structure) in enumerate(pairs)]

    def _fit_class(self, label: int, n_components: int, structure: str, seed: int) -> ClassFit:
        """Return the mixture of a class, with pseudo-observations where its rows cannot estimate the structure."""
        key = (label, n_components, structure, self._seed_of_class(label, seed))
        if key not in self._candidates:
            self.search(ClassSearch(label, (n_components,), structure, seed))
        found = self._candidates.get(key)
        if found is not None and found.fit is not None:
            return found.fit
        prior = self._edda_fits.make_prior(structure).select_components([label] * n_components)
        rows = self._class_fits.class_rows(label)
        partition = cluster_rows(rows.mixed_rows, prior, n_components, seed)
        run = StructuredRun.from_partition(rows, prior, structure, partition, EM_MAX_ITER)
        return ClassFit(run.result.mixture, run.n_iter)

    def search(self, search: ClassSearch) -> tuple[StructureCandidate, ...]:
        """Return the candidates for the rows of a class, the best one first; empty if none could be fitted."""
        n_rows = self._class_fits.class_rows(search.label).n_rows
        search = search._replace(counts=tuple(count for count in search.counts if count <= n_rows))
        if not search.counts:
            return ()
        run = self._search_numbers if self._is_complete(search.label) else self._search_by_em
        found = list(run(search))
        seed = self._seed_of_class(search.label, search.seed)
        for each in found:
            candidate = each.candidate
            self._candidates[search.label, candidate.n_components[0], candidate.structure, seed] = each
        return sort_candidates(each.candidate for each in found)

    def _is_complete(self, label: int) -> bool:
        """Return whether the rows of a class are numbers without gaps."""
        rows = self._class_fits.class_rows(label)
        return bool(rows.layout.n_numeric and not rows.layout.n_levels and not rows.has_gaps)

    def _seed_of_class(self, label: int, seed: int) -> int:
        """Return the seed that the fits of a class depend on; 0 if they depend on none."""
        return 0 if self._is_complete(label) else seed

    def _search_numbers(self, search: ClassSearch) -> Iterator[ClassCandidate]:
        """Yield the candidates for rows of numbers without gaps."""
        rows = self._class_fits.class_rows(search.label)
        units = np.ones(rows.layout.n_numeric) if rows.units is None else rows.units
        log_jacobian = rows.total_log_jacobian + float(rows.row_weights.sum() * np.log(units).sum())
        names = list_structures(rows.layout, search.counts[-1], search.structure)
        for each in search_gaussian_mixtures(rows.numeric * units, rows.row_weights, names, search.counts):
            fit = None
            if each.is_eligible and each.fit is not None:
                mixture = to_mixed_mixture(each.fit.mixture, rows.layout, units)
                fit = ClassFit(mixture, len(each.fit.trace))
            yield ClassCandidate(_describe_candidate(each, log_jacobian, search.label), fit)

    def _search_by_em(self, search: ClassSearch) -> Iterator[ClassCandidate]:
        """Yield the candidates that EM finds from k-means, until more components have not lowered BIC for a while."""
        rows, moments = self._class_fits.class_rows(search.label), self._class_fits.class_moments(search.label)
        best, n_without_gain = np.inf, 0
        for count in search.counts:
            prior = prior_at(moments, MAXIMUM_LIKELIHOOD, count)
            names = list_structures(rows.layout, count, search.structure)
            partition = cluster_rows(rows.mixed_rows, prior, count, search.seed)
            runs = [StructuredRun.from_partition(rows, prior, name, partition) for name in names]
            runs = converge_contenders(runs, best)
            yield from (_describe_run(run, search.label) for run in runs)
            lowest = lowest_criterion(runs)
            n_without_gain = 0 if lowest < best else n_without_gain + 1
            best = min(best, lowest)
            if n_without_gain == _MAX_COUNTS_WITHOUT_GAIN:
                break


def _describe_run(run: StructuredRun, label: int) -> ClassCandidate:
    """Return the candidate of a run of EM."""
    fit = None if run.candidate.is_degenerate else ClassFit(run.result.mixture, run.n_iter)
    return ClassCandidate(replace(run.candidate, label=label), fit)


def _describe_candidate(candidate: Candidate, log_jacobian: float, label: int) -> StructureCandidate:
    """Return a candidate of a search as one in the data's units."""
    assert candidate.fit is not None
    return StructureCandidate(
        str(candidate.structure),
        (candidate.n_components,),
        candidate.fit.log_likelihood + log_jacobian,
        candidate.n_parameters,
        candidate.criteria["bic"] - 2.0 * log_jacobian,
        not candidate.is_eligible,
        label,
    )
