"""Members of a classifier: one mixture for each start, of the same specification."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.refinement import RefinementOptions, RefinementResult, refine
from gaussmix.types import Array

Members = tuple[MixedMixture, ...]


class FittedMembers(NamedTuple):
    """One mixture for each start, the largest number of iterations, and the mean floors (Y,) of the refinements.

    Iterations are those of L-BFGS, or of EM without refinement; floors are then zero.
    """

    mixtures: Members
    n_iter: int
    floors: Array


class MixtureSpec(NamedTuple):
    """Numbers of components and structures of the block's covariances: one for each class, or one for all.

    Attributes
    ----------
    n_components : tuple of int
    structures : tuple of str
    """

    n_components: tuple[int, ...]
    structures: tuple[str, ...]

    def __str__(self) -> str:
        counts = ", ".join(map(str, self.n_components))
        return f"{counts} components, {', '.join(self.structures)}"


@dataclass(frozen=True)
class MemberOptions:
    """Seeds of the starts, and the refinement; None keeps the mixtures that EM finds."""

    seeds: tuple[int, ...]
    refinement: RefinementOptions | None


@dataclass(frozen=True, eq=False)
class AbstractFamilyFits(ABC):
    """The mixtures of a family for some rows; what several specifications share is fitted once.

    Attributes
    ----------
    rows : TrainingRows
    """

    rows: TrainingRows
    _members: dict[tuple[MixtureSpec, int, RefinementOptions | None], RefinementResult] = field(
        default_factory=dict, kw_only=True
    )

    @abstractmethod
    def needs_starts(self, spec: MixtureSpec) -> bool:
        """Return whether the mixture depends on the seed of its start."""

    @abstractmethod
    def fit_generative(self, spec: MixtureSpec, seed: int) -> MixedMixture:
        """Return the mixture that EM finds."""

    def count_iterations(self, spec: MixtureSpec, seed: int) -> int:
        """Return the number of EM iterations that led to `fit_generative`; 1 for a closed form."""
        return 1

    def fit_members(self, spec: MixtureSpec, options: MemberOptions) -> FittedMembers:
        """Return one refined mixture for each start, and only one if the starts are the same."""
        seeds = options.seeds if self.needs_starts(spec) else options.seeds[:1]
        fits = [self._fit_member(spec, seed, options.refinement) for seed in seeds]
        floors = np.mean([fit.floors for fit in fits], axis=0)
        return FittedMembers(tuple(fit.mixture for fit in fits), max(fit.n_iter for fit in fits), floors)

    def _fit_member(self, spec: MixtureSpec, seed: int, refinement: RefinementOptions | None) -> RefinementResult:
        """Return the mixture of one start, and its number of iterations; it is fitted once."""
        key = (spec, seed, refinement)
        if key not in self._members:
            mixture = self.fit_generative(spec, seed)
            if refinement is None:
                self._members[key] = RefinementResult(
                    mixture, self.count_iterations(spec, seed), np.zeros(mixture.n_classes)
                )
            else:
                self._members[key] = refine(mixture, self.rows.mixed_rows, self.rows.classes, refinement)
        return self._members[key]
