"""MclustDA: a mixture for each class, whose structure and number of components are chosen by BIC within the class.

Fraley & Raftery, "Model-based clustering, discriminant analysis, and density estimation", JASA 97 (2002); mclust's
``MclustDA``.
"""

import numpy as np

from gaussmix.classification.families.base import AbstractFamily, require_rows_for_components
from gaussmix.classification.families.block_choice import choose_all_columns
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.mclustda_fits import ClassSearch, MclustdaFits
from gaussmix.classification.families.members import MemberOptions, MixtureSpec
from gaussmix.classification.families.spec_choice import (
    ChoiceContext,
    ChoiceRequest,
    SpecChoice,
    describe_counts,
    describe_diagonal,
    describe_structures,
)
from gaussmix.classification.families.structure_search import StructureCandidate, UnsoundStructures, list_structures
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.types import ND, IntN, N


class Mclustda(AbstractFamily[MclustdaFits]):
    """One mixture for each class, whose structure and number of components are chosen by BIC."""

    name = "mclustda"
    has_transforms = False
    selects_columns = False
    has_structures = True
    default_max_components = 5

    def list_blocks(self, numeric: ND, classes: IntN, weights: N) -> tuple[tuple[int, ...], ...]:
        """Return the positions of all columns; none if they cannot have a full covariance."""
        return (choose_all_columns(numeric),)

    def simplest_spec(self, n_classes: int) -> MixtureSpec:
        """Return one component for each class."""
        return MixtureSpec((1,) * n_classes, ("VVV",) * n_classes)

    def make_fits(self, rows: TrainingRows) -> MclustdaFits:
        """Return the fits of the classes of some rows."""
        return MclustdaFits(rows)

    def choose_spec(
        self,
        fits: MclustdaFits,
        request: ChoiceRequest,
        validation: CrossValidation | None,
        options: MemberOptions,
        start: MixtureSpec | None = None,
    ) -> SpecChoice:
        """Return the structure and the number of components of the lowest BIC for each class, of those requested."""
        if request.n_components is not None:
            require_rows_for_components(fits.rows, request.n_components)
        candidates: list[StructureCandidate] = []
        chosen: list[tuple[int, str]] = []
        unsound: list[UnsoundStructures] = []
        for label in range(fits.rows.n_classes):
            search = _make_search(fits.rows, request, label, options.seeds[0])
            found = fits.search(search)
            candidates += found
            if found and not found[0].is_degenerate:
                chosen.append((found[0].n_components[0], found[0].structure))
                continue
            structure = list_structures(fits.rows.layout, search.counts[0], request.structure)[-1]
            chosen.append((search.counts[0], structure))
            unsound.append(UnsoundStructures((structure,), (label,), has_prior=True))
        counts, structures = zip(*chosen, strict=True)
        return SpecChoice(MixtureSpec(counts, structures), tuple(candidates), tuple(unsound))

    def describe_choice(self, choice: SpecChoice, context: ChoiceContext) -> list[str]:
        """Return sentences on the numbers of components and on the structures."""
        return [
            *describe_counts(choice, context),
            *describe_structures(choice, context),
            *describe_diagonal(context),
        ]


def _make_search(rows: TrainingRows, request: ChoiceRequest, label: int, seed: int) -> ClassSearch:
    """Return what is tried for the rows of a class.

    Components have on average at least one row more than there are columns, as the freest structure needs.
    """
    if request.n_components is not None:
        counts: tuple[int, ...] = (request.n_components[label],)
    else:
        n_supported = int(np.count_nonzero(rows.classes == label)) // (rows.layout.n_numeric + 1)
        counts = tuple(range(1, max(1, min(request.max_components, n_supported)) + 1))
    return ClassSearch(label, counts, request.structure, seed)
