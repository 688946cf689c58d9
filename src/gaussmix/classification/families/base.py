"""``AbstractFamily``: what a family of mixtures decides before a fit, and how its members are fitted."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from gaussmix.classification.families.component_search import ComponentCandidate, ComponentSearch, Counts, log_losses
from gaussmix.classification.families.cross_validation import CrossValidation
from gaussmix.classification.families.members import AbstractFamilyFits, MemberOptions, MixtureSpec
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.types import ND, IntN, N

MIN_ROWS_PER_COMPONENT = 20


class SpecChoice(NamedTuple):
    """A specification, and the candidates that were compared for it, the best one first."""

    spec: MixtureSpec
    candidates: tuple[ComponentCandidate, ...] = ()


@dataclass(frozen=True)
class ChoiceRequest:
    """What a user asks of a choice.

    Attributes
    ----------
    n_components : tuple of int or None
        Numbers of components that are given: one for each class. None means that they are chosen.
    structure : str or None
        The structure that is given; None means that it is chosen, or the default of the family.
    max_components : int
        Largest number of components of a class.
    """

    n_components: Counts | None
    structure: str | None
    max_components: int


class AbstractFamily(ABC):
    """A family of mixtures: which columns correlate, how specifications are chosen, and how members are fitted."""

    has_transforms: ClassVar[bool] = True  # whether columns are transformed by default

    @abstractmethod
    def choose_block(self, numeric: ND, classes: IntN, weights: N) -> tuple[int, ...]:
        """Return the positions of the numeric columns (n, D) that have a full covariance."""

    @abstractmethod
    def make_fits(self, rows: TrainingRows) -> AbstractFamilyFits:
        """Return the fits for some rows, of which none has run yet."""

    @abstractmethod
    def choose_spec(
        self, rows: TrainingRows, request: ChoiceRequest, validation: CrossValidation | None, options: MemberOptions
    ) -> SpecChoice:
        """Return the specification to fit.

        ``validation`` are folds of some of the rows, None if there are too few rows for folds.
        """


def search_components(
    validation: CrossValidation, options: MemberOptions, max_components: Counts, structures: tuple[str, ...]
) -> tuple[ComponentCandidate, ...]:
    """Return numbers of components with the cross-validated log-loss of each, the best first."""
    held_out = validation.held_out_rows

    def compute_losses(counts: Counts) -> N:
        return log_losses(validation.predict(MixtureSpec(counts, structures), options), held_out.classes)

    return ComponentSearch(compute_losses, held_out.row_weights, max_components).run()
