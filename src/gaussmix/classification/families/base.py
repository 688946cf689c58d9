"""``AbstractFamily``: what a family of mixtures decides before a fit, and how its members are fitted."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np

from gaussmix.classification.families.component_search import ComponentCandidate, ComponentSearch, Counts, log_losses
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.spec_choice import (
    ChoiceContext,
    ChoiceRequest,
    SpecChoice,
    describe_block,
    describe_counts,
    describe_small_classes,
)
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.errors import ClassifierParameterError
from gaussmix.types import ND, IntN, N

MIN_ROWS_PER_COMPONENT = 20
PRIOR_ROWS = (5.0, 50.0, 500.0)  # of the variance of a column, with which classes of few rows are alike

Fits = TypeVar("Fits", bound=AbstractFamilyFits)


class AbstractFamily(ABC, Generic[Fits]):
    """A family of mixtures: which columns correlate, how specifications are chosen, and how members are fitted."""

    name: ClassVar[str]
    has_transforms: ClassVar[bool] = True  # whether columns are transformed by default
    selects_columns: ClassVar[bool] = True  # whether numeric columns that say nothing about the class are left out
    has_structures: ClassVar[bool] = False  # whether a structure can be requested
    has_shared_components: ClassVar[bool] = False  # whether components belong to all classes
    can_have_several_components: ClassVar[bool] = True  # whether a class can have more than one
    default_max_components: ClassVar[int] = 8

    def check_request(self, request: ChoiceRequest) -> None:
        """Raise ClassifierParameterError if the family cannot do what is requested."""
        if request.structure is not None and not self.has_structures:
            raise ClassifierParameterError.fixed_structure(self.name, request.structure)
        has_several = request.n_components is not None and max(request.n_components) > 1
        if has_several and not self.can_have_several_components:
            raise ClassifierParameterError.several_components(self.name, request.n_components or ())

    @abstractmethod
    def list_blocks(self, numeric: ND, classes: IntN, weights: N) -> tuple[tuple[int, ...], ...]:
        """Return the positions of the numeric columns (n, D) that may have a full covariance, the fewest first."""

    @abstractmethod
    def simplest_spec(self, n_classes: int) -> MixtureSpec:
        """Return the specification of the fewest components."""

    @abstractmethod
    def make_fits(self, rows: TrainingRows) -> Fits:
        """Return the fits for some rows, of which none has run yet."""

    @abstractmethod
    def choose_spec(
        self,
        fits: Fits,
        request: ChoiceRequest,
        validation: CrossValidation | None,
        options: MemberOptions,
        start: MixtureSpec | None = None,
    ) -> SpecChoice:
        """Return the specification to fit to the rows of ``fits``.

        ``validation`` are folds of some of the rows, None if there are too few rows for folds. ``start`` is a
        specification near which the best one is sought; None searches everywhere.
        """

    def list_priors(self) -> tuple["AnyFamily", ...]:
        """Return the family with priors that count as more and more rows; it is itself among them."""
        return (self,)

    def describe_choice(self, choice: SpecChoice, context: ChoiceContext) -> list[str]:
        """Return sentences on a choice."""
        return [
            *describe_block(context),
            *describe_counts(choice, context),
            *describe_small_classes(context, MIN_ROWS_PER_COMPONENT),
        ]


AnyFamily: TypeAlias = AbstractFamily[Any]


def require_rows_for_components(rows: TrainingRows, n_components: Counts) -> None:
    """Raise ClassifierParameterError if a class has fewer distinct rows than components, or the table if they share."""
    if len(n_components) < rows.n_classes:
        if n_components[0] > rows.n_rows:
            raise ClassifierParameterError.too_many_components(n_components[0], rows.n_rows, "a table")
        return
    for count, size in zip(n_components, np.bincount(rows.classes, minlength=rows.n_classes).tolist(), strict=True):
        if count > size:
            raise ClassifierParameterError.too_many_components(count, size)


def search_components(
    validation: CrossValidation, options: MemberOptions, largest: MixtureSpec, start: MixtureSpec | None
) -> tuple[ComponentCandidate, ...]:
    """Return numbers of components with the cross-validated log-loss of each, the best first."""
    held_out = validation.held_out_rows

    def compute_losses(counts: Counts) -> N:
        return log_losses(validation.predict(largest._replace(n_components=counts), options), held_out.classes)

    first = None if start is None else start.n_components
    return ComponentSearch(compute_losses, held_out.row_weights, largest.n_components, first).run()
