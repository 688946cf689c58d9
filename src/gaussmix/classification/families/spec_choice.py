"""What a user asks of a family, what the family chose, and sentences on it."""

from typing import NamedTuple

from gaussmix.classification.families.block_choice import MAX_BLOCK_PATTERNS
from gaussmix.classification.families.component_search import ComponentCandidate, Counts
from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.families.structure_search import WITH_PSEUDO_ROWS, StructureCandidate, UnsoundStructures
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.covariance.structure import Structure
from gaussmix.errors.text import join_with_and, pluralize
from gaussmix.types import AnyArray, N


class ChoiceRequest(NamedTuple):
    """What a user asks of a choice.

    Attributes
    ----------
    n_components : tuple of int or None
        Numbers of components that are given: one for each class, or one for all. None means that they are chosen.
    structure : str or None
        The structure that is given; None means that it is chosen, or the default of the family.
    max_components : int
        Largest number of components, of a class or of all together.
    """

    n_components: Counts | None
    structure: str | None
    max_components: int


class SpecChoice(NamedTuple):
    """A specification, and what was compared for it.

    Attributes
    ----------
    spec : MixtureSpec
    candidates : tuple of ComponentCandidate, or tuple of StructureCandidate
        The best one first.
    unsound : tuple of UnsoundStructures
        Structures that some rows cannot estimate.
    """

    spec: MixtureSpec
    candidates: tuple[ComponentCandidate, ...] | tuple[StructureCandidate, ...] = ()
    unsound: tuple[UnsoundStructures, ...] = ()


class ChoiceContext(NamedTuple):
    """What sentences on a choice name.

    These are the classes (Y,) and their weights (Y,), and the names of the D numeric columns of the layout.
    """

    classes: AnyArray
    class_weights: N
    numeric_names: tuple[str, ...]
    layout: FeatureLayout


def describe_block(context: ChoiceContext) -> list[str]:
    """Return the sentence that names the columns with a full covariance; none without such columns."""
    if not context.layout.block:
        return []
    names = [repr(context.numeric_names[j]) for j in context.layout.block]
    return [f"{join_with_and(names)} correlate within the classes; the model describes how (full covariances)."]


def describe_diagonal(context: ChoiceContext) -> list[str]:
    """Return the sentence that the columns have diagonal covariances, if full ones would cost too much."""
    if context.layout.block or context.layout.n_numeric < 2:
        return []
    return [
        f"The numeric columns have more than {MAX_BLOCK_PATTERNS} patterns of missing cells, or too many products for "
        "the memory, so that their correlations within a class are left out (diagonal covariances)."
    ]


def describe_counts(choice: SpecChoice, context: ChoiceContext) -> list[str]:
    """Return the sentence on the numbers of components."""
    counts = choice.spec.n_components
    if len(counts) < len(context.classes):
        return [f"Number of components of all classes together: {counts[0]}."]
    by_class = [f"{count} for {label!s}" for count, label in zip(counts, context.classes, strict=True)]
    return [f"Number of components: {join_with_and(by_class)}."]


def describe_small_classes(context: ChoiceContext, min_rows: int) -> list[str]:
    """Return a sentence on each class of fewer rows, whose prior counts."""
    return [
        f"Class {label!r} has only {weight:.4g} {pluralize('row', weight)}: its means and variances are drawn towards "
        "those of all rows (prior)."
        for label, weight in zip(context.classes.tolist(), context.class_weights, strict=True)
        if weight < min_rows
    ]


def describe_structures(choice: SpecChoice, context: ChoiceContext) -> list[str]:
    """Return sentences on the structures: which one, by which criterion, and which ones the rows cannot estimate."""
    if not context.layout.n_numeric:
        return []
    structures = choice.spec.structures
    if len(structures) == 1:
        text = f"{structures[0]} for all classes ({Structure.from_name(structures[0]).description})"
    else:
        named = zip(structures, context.classes, strict=True)
        text = join_with_and([f"{structure} for {label!s}" for structure, label in named])
    reason = ", by BIC" if len({each.structure for each in _structure_candidates(choice)}) > 1 else ""
    return [f"Structure of the covariances: {text}{reason}.", *_describe_unsound(choice, context)]


def _structure_candidates(choice: SpecChoice) -> list[StructureCandidate]:
    """Return the candidates that have a structure."""
    return [each for each in choice.candidates if isinstance(each, StructureCandidate)]


def _describe_unsound(choice: SpecChoice, context: ChoiceContext) -> list[str]:
    """Return sentences on structures that the rows of some classes cannot estimate."""
    sentences = []
    for unsound in choice.unsound:
        names = join_with_and([str(context.classes[label]) for label in unsound.labels])
        structures = join_with_and(list(unsound.structures), max_names=None)
        cause = f"The rows of {names} are too few or too alike for {structures}"
        if unsound.has_prior:
            n_rows = WITH_PSEUDO_ROWS.of_block(max(len(context.layout.block), 1))
            sentences.append(
                f"{cause}: the covariance within all classes counts as {n_rows:g} more rows of each component."
            )
        else:
            sentences.append(f"{cause}: left out.")
    return sentences
