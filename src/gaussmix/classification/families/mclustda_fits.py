"""Fits of a mixture to the rows of each class, for all structures and numbers of components.

Numbers without gaps are searched as by ``gaussmix.select``, which reproduces mclust's criteria. Other rows are fitted
by EM of mixed mixtures, from k-means partitions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.families.class_fits import ClassFits, cluster_rows, join_classes, prior_at, start_at
from gaussmix.classification.families.gaussian_search import search_gaussian_mixtures, to_mixed_mixture
from gaussmix.classification.families.members import AbstractFamilyFits, MixtureSpec
from gaussmix.classification.families.structure_search import (
    EM_MAX_ITER,
    EM_TOLERANCE,
    MAXIMUM_LIKELIHOOD,
    StructureCandidate,
    list_structures,
    make_candidate,
    make_structured_m_step,
    sort_candidates,
)
from gaussmix.classification.mixed.mixed_em import EMResult, hard_responsibilities, run_em
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import PriorStrength
from gaussmix.selection.candidates import Candidate

_MAX_COUNTS_WITHOUT_GAIN = 2  # numbers of components in a row, before EM tries no larger ones


class ClassSearch(NamedTuple):
    """What is tried for the rows of a class: numbers of components, ascending, a structure or all, and a seed."""

    label: int
    counts: tuple[int, ...]
    structure: str | None
    seed: int


class ClassCandidate(NamedTuple):
    """A candidate for the rows of a class, and its mixture; None if it is degenerate."""

    candidate: StructureCandidate
    mixture: MixedMixture | None


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

    def needs_starts(self, spec: MixtureSpec) -> bool:
        """Return whether a class has several components that start from k-means."""
        return any(count > 1 and not self._is_complete(label) for label, count in enumerate(spec.n_components))

    def fit_generative(self, spec: MixtureSpec, seed: int) -> MixedMixture:
        """Return the mixtures of all classes as one."""
        pairs = zip(spec.n_components, spec.structures, strict=True)
        mixtures = [self._fit_class(label, count, structure, seed) for label, (count, structure) in enumerate(pairs)]
        return join_classes(mixtures, self.rows.class_weights)

    def _fit_class(self, label: int, n_components: int, structure: str, seed: int) -> MixedMixture:
        """Return the mixture of a class, with pseudo-observations where its rows cannot estimate the structure."""
        key = (label, n_components, structure, self._seed_of_class(label, seed))
        if key not in self._candidates:
            self.search(ClassSearch(label, (n_components,), structure, seed))
        found = self._candidates.get(key)
        if found is None or found.mixture is None:
            return self._run_em(label, n_components, structure, seed, PriorStrength()).mixture
        return found.mixture

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
            mixture = None
            if each.is_eligible and each.mixture is not None:
                mixture = to_mixed_mixture(each.mixture, rows.layout, units)
            yield ClassCandidate(_describe_candidate(each, log_jacobian, search.label), mixture)

    def _search_by_em(self, search: ClassSearch) -> Iterator[ClassCandidate]:
        """Yield the candidates that EM finds from k-means, until more components have not lowered BIC for a while."""
        best, n_without_gain = np.inf, 0
        for count in search.counts:
            found = [self._fit_candidate(search, count, name) for name in self._list_structures(search, count)]
            yield from found
            lowest = min((each.candidate.bic for each in found if each.mixture is not None), default=np.inf)
            n_without_gain = 0 if lowest < best else n_without_gain + 1
            best = min(best, lowest)
            if n_without_gain == _MAX_COUNTS_WITHOUT_GAIN:
                break

    def _list_structures(self, search: ClassSearch, n_components: int) -> tuple[str, ...]:
        """Return the structures that are tried for a number of components."""
        return list_structures(self.rows.layout, n_components, search.structure)

    def _fit_candidate(self, search: ClassSearch, n_components: int, structure: str) -> ClassCandidate:
        """Return the candidate that EM finds."""
        result = self._run_em(search.label, n_components, structure, search.seed, MAXIMUM_LIKELIHOOD)
        rows = self._class_fits.class_rows(search.label)
        candidate = make_candidate(MixtureSpec((n_components,), (structure,)), result, rows, search.label)
        return ClassCandidate(candidate, None if candidate.is_degenerate else result.mixture)

    def _run_em(self, label: int, n_components: int, structure: str, seed: int, strength: PriorStrength) -> EMResult:
        """Fit the rows of a class from a k-means partition."""
        rows = self._class_fits.class_rows(label)
        prior = prior_at(self._class_fits.class_moments(label), strength, n_components)
        partition = cluster_rows(rows.mixed_rows, prior, n_components, seed)
        return run_em(
            start_at(prior, rows.layout),
            rows.mixed_rows,
            make_structured_m_step(prior, structure, rows),
            hard_responsibilities(partition, n_components),
            tol=EM_TOLERANCE,
            max_iter=EM_MAX_ITER,
        )


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
