"""Eigenvalue decomposition discriminant analysis: one Gaussian for each class, all within one structure.

Bensmail & Celeux, "Regularized Gaussian discriminant analysis through eigenvalue decomposition", JASA 91 (1996);
mclust's ``MclustDA(modelType = "EDDA")``. VVV is quadratic and EEE is linear discriminant analysis, by maximum
likelihood. The structure is chosen by the BIC of the rows without their classes, as in mclust. Rows with missing cells
take part by EM.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gaussmix.classification.families.base import AbstractFamily
from gaussmix.classification.families.block_choice import choose_all_columns
from gaussmix.classification.families.class_fits import ClassFits, prior_at, start_at
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.spec_choice import (
    ChoiceContext,
    ChoiceRequest,
    SpecChoice,
    describe_diagonal,
    describe_structures,
)
from gaussmix.classification.families.structure_search import (
    EM_MAX_ITER,
    EM_TOLERANCE,
    MAXIMUM_LIKELIHOOD,
    WITH_PSEUDO_ROWS,
    UnsoundStructures,
    find_degenerate_components,
    list_structures,
    make_candidate,
    make_structured_m_step,
    sort_candidates,
)
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.mixed_em import EMResult, hard_responsibilities, run_em
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_prior import MixedPrior, PriorStrength
from gaussmix.types import ND, IntN, N


@dataclass(frozen=True, eq=False)
class EddaFits(AbstractFamilyFits):
    """Fits of one component for each class, kept by structure.

    Attributes
    ----------
    rows : TrainingRows
    """

    _results: dict[tuple[str, bool], EMResult] = field(default_factory=dict, kw_only=True)

    @cached_property
    def _overall_moments(self) -> MixedMixture:
        """The single component of all rows."""
        return ClassFits(self.rows).class_moments(-1)

    def needs_starts(self, spec: MixtureSpec) -> bool:
        """Return False: the classes are known."""
        return False

    def fit_generative(self, spec: MixtureSpec, seed: int) -> MixedMixture:
        """Return the mixture of a structure, with pseudo-observations where the rows cannot estimate it."""
        structure = spec.structures[0]
        has_prior = len(self.find_unsound_classes(structure)) > 0
        return self.fit_structure(structure, has_prior).mixture

    def count_iterations(self, spec: MixtureSpec, seed: int) -> int:
        """Return the number of EM iterations: one more than the M-step needs without missing cells."""
        structure = spec.structures[0]
        return len(self.fit_structure(structure, len(self.find_unsound_classes(structure)) > 0).trace)

    def find_unsound_classes(self, structure: str) -> IntN:
        """Return the classes whose rows are too few or too alike for a structure."""
        result = self.fit_structure(structure)
        return np.flatnonzero(find_degenerate_components(structure, result, self.rows))

    def fit_structure(self, structure: str, has_prior: bool = False) -> EMResult:
        """Return the mixture of a structure, by maximum likelihood or with the prior of `make_prior`; fitted once."""
        key = (structure, has_prior)
        if key not in self._results:
            prior = self.make_prior(structure) if has_prior else self._prior_at_overall_moments(MAXIMUM_LIKELIHOOD)
            self._results[key] = self._run(structure, prior)
        return self._results[key]

    def make_prior(self, structure: str) -> MixedPrior:
        """Return the prior of one component for each class where the rows cannot estimate a structure.

        Its covariance is that within the classes, or that of all rows if the rows cannot estimate it either.
        """
        pooled = list_structures(self.rows.layout, 1)[-1]
        if structure == pooled or len(self.find_unsound_classes(pooled)):
            return self._prior_at_overall_moments(WITH_PSEUDO_ROWS)
        mixture, overall = self.fit_structure(pooled).mixture, self._prior_at_overall_moments(WITH_PSEUDO_ROWS)
        return replace(overall, variances=mixture.variances, covariances=mixture.covariances)

    def _prior_at_overall_moments(self, strength: PriorStrength) -> MixedPrior:
        """Return the prior of one component for each class, at the moments of all rows."""
        return prior_at(self._overall_moments, strength, self.rows.n_classes)

    def _run(self, structure: str, prior: MixedPrior) -> EMResult:
        """Fit one component to the rows of each class, from the moments of the prior."""
        rows, n_classes = self.rows, self.rows.n_classes
        with np.errstate(divide="ignore"):
            class_log_probabilities = np.log(np.eye(n_classes))
        start = replace(start_at(prior, rows.layout), class_log_probabilities=class_log_probabilities)
        classes = rows.classes[rows.mixed_rows.order]
        return run_em(
            start,
            rows.mixed_rows,
            make_structured_m_step(prior, structure, rows),
            hard_responsibilities(classes, n_classes),
            class_log_probabilities[:, classes],
            EM_TOLERANCE,
            EM_MAX_ITER,
        )


class Edda(AbstractFamily[EddaFits]):
    """One component for each class, whose structure is chosen by BIC."""

    name = "edda"
    has_transforms = False
    selects_columns = False
    has_structures = True
    can_have_several_components = False

    def list_blocks(self, numeric: ND, classes: IntN, weights: N) -> tuple[tuple[int, ...], ...]:
        """Return the positions of all columns; none if they cannot have a full covariance."""
        return (choose_all_columns(numeric),)

    def simplest_spec(self, n_classes: int) -> MixtureSpec:
        """Return one component for each class."""
        return MixtureSpec((1,) * n_classes, ("VVV",))

    def make_fits(self, rows: TrainingRows) -> EddaFits:
        """Return the fits of some rows."""
        return EddaFits(rows)

    def choose_spec(
        self,
        fits: EddaFits,
        request: ChoiceRequest,
        validation: CrossValidation | None,
        options: MemberOptions,
        start: MixtureSpec | None = None,
    ) -> SpecChoice:
        """Return the structure that is given, or the one of the lowest BIC."""
        rows, n_components = fits.rows, (1,) * fits.rows.n_classes
        names = list_structures(rows.layout, rows.n_classes, request.structure)
        candidates = sort_candidates(
            make_candidate(MixtureSpec(n_components, (name,)), fits.fit_structure(name), rows) for name in names
        )
        best = candidates[0]
        unsound = [
            UnsoundStructures(structures, _find_classes(fits, structures), has_prior)
            for has_prior, structures in (
                (True, (best.structure,) if best.is_degenerate else ()),
                (False, tuple(each.structure for each in candidates[1:] if each.is_degenerate)),
            )
            if structures
        ]
        return SpecChoice(MixtureSpec(n_components, (best.structure,)), candidates, tuple(unsound))

    def describe_choice(self, choice: SpecChoice, context: ChoiceContext) -> list[str]:
        """Return sentences on the structure."""
        return [*describe_structures(choice, context), *describe_diagonal(context)]


def _find_classes(fits: EddaFits, structures: tuple[str, ...]) -> tuple[int, ...]:
    """Return the classes whose rows cannot estimate some structures."""
    found = {int(label) for structure in structures for label in fits.find_unsound_classes(structure)}
    return tuple(sorted(found))
