"""The default family: one mixture for each class, with a full covariance of the correlated columns alone."""

from dataclasses import dataclass, field, replace

from gaussmix.classification.families.base import (
    MIN_ROWS_PER_COMPONENT,
    PRIOR_ROWS,
    AbstractFamily,
    require_rows_for_components,
    search_components,
)
from gaussmix.classification.families.block_choice import list_correlated_blocks
from gaussmix.classification.families.class_fits import ClassFits
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import MemberOptions, MixtureSpec
from gaussmix.classification.families.spec_choice import ChoiceRequest, SpecChoice
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.mixed_prior import PriorStrength
from gaussmix.types import ND, IntN, N

STRUCTURE = "VVV"


@dataclass(frozen=True)
class ClassMixtures(AbstractFamily[ClassFits]):
    """One mixture for each class, whose number of components is chosen by the log-loss of unseen rows."""

    strength: PriorStrength = field(default_factory=PriorStrength)

    name = "class-mixtures"

    def list_blocks(self, numeric: ND, classes: IntN, weights: N) -> tuple[tuple[int, ...], ...]:
        """Return the positions of the columns that surely correlate within the classes, and of those that may."""
        return list_correlated_blocks(numeric, classes, weights)

    def simplest_spec(self, n_classes: int) -> MixtureSpec:
        """Return one component for each class."""
        return MixtureSpec((1,) * n_classes, (STRUCTURE,) * n_classes)

    def make_fits(self, rows: TrainingRows) -> ClassFits:
        """Return the fits of the classes of some rows."""
        return ClassFits(rows, self.strength)

    def list_priors(self) -> tuple["ClassMixtures", ...]:
        """Return the family with priors of its covariances that count as more and more rows."""
        return tuple(ClassMixtures(replace(self.strength, covariance=rows)) for rows in PRIOR_ROWS)

    def choose_spec(
        self,
        fits: ClassFits,
        request: ChoiceRequest,
        validation: CrossValidation | None,
        options: MemberOptions,
        start: MixtureSpec | None = None,
    ) -> SpecChoice:
        """Return the given numbers of components, or those with the smallest cross-validated log-loss."""
        rows = fits.rows
        structures = (STRUCTURE,) * rows.n_classes
        if request.n_components is not None:
            require_rows_for_components(rows, request.n_components)
            return SpecChoice(MixtureSpec(request.n_components, structures))
        if validation is None:
            return SpecChoice(self.simplest_spec(rows.n_classes))
        most = tuple(
            int(max(1, min(request.max_components, size // MIN_ROWS_PER_COMPONENT))) for size in rows.class_weights
        )
        candidates = search_components(validation, options, MixtureSpec(most, structures), start)
        return SpecChoice(MixtureSpec(candidates[0].n_components, structures), candidates)
