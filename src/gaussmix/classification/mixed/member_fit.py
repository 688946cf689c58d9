"""Fit the members of a classifier: one mixture for each start, with the same numbers of components."""

from dataclasses import dataclass

from gaussmix.classification.mixed.class_fit import ClassFits, join_classes
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.refinement import RefinementOptions, refine

Members = tuple[MixedMixture, ...]


@dataclass(frozen=True)
class MemberOptions:
    """Seeds of the starts, and the refinement; None keeps the mixtures that EM finds."""

    seeds: tuple[int, ...]
    refinement: RefinementOptions | None


def fit_members(class_fits: ClassFits, n_components: tuple[int, ...], options: MemberOptions) -> Members:
    """Return the mixtures with ``n_components`` (Y,) of each class; one if no class needs a start."""
    seeds = options.seeds[:1] if max(n_components) == 1 else options.seeds
    return tuple(_fit_member(class_fits, n_components, seed, options.refinement) for seed in seeds)


def _fit_member(
    class_fits: ClassFits, n_components: tuple[int, ...], seed: int, refinement: RefinementOptions | None
) -> MixedMixture:
    """Return the mixture of one start."""
    rows = class_fits.rows
    mixtures = [class_fits.fit_class(label, count, seed).mixture for label, count in enumerate(n_components)]
    mixture = join_classes(mixtures, rows.class_weights)
    return mixture if refinement is None else refine(mixture, rows.mixed_rows, rows.classes, refinement)
