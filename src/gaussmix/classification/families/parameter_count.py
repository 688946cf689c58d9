"""Count the free parameters of a mixture of numeric and categorical columns."""

from collections.abc import Iterator

from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.covariance.structure import Structure


def count_parameters(layout: FeatureLayout, spec: MixtureSpec, n_classes: int) -> int:
    """Return the number of free parameters.

    These are the weights of all components of all classes, less one, the means, variances and covariances, and the
    probabilities of the levels, less one for each categorical column. Components that all classes share also have
    probabilities of the classes.

    Parameters
    ----------
    layout : FeatureLayout
    spec : MixtureSpec
    n_classes : int
    """
    n_components = sum(spec.n_components)
    is_shared = len(spec.n_components) < n_classes
    n_free_levels = sum(n_levels - 1 for n_levels in layout.n_levels) + (n_classes - 1) * is_shared
    n_covariance_parameters = sum(
        _count_covariance_parameters(layout, Structure.from_name(structure), count)
        for structure, count in _iterate_groups(spec)
    )
    return n_components - 1 + n_components * (layout.n_numeric + n_free_levels) + n_covariance_parameters


def _iterate_groups(spec: MixtureSpec) -> Iterator[tuple[str, int]]:
    """Yield the structure and the number of the components that share it."""
    if len(spec.structures) == len(spec.n_components):
        yield from zip(spec.structures, spec.n_components, strict=True)
    else:
        yield spec.structures[0], sum(spec.n_components)


def _count_covariance_parameters(layout: FeatureLayout, structure: Structure, n_components: int) -> int:
    """Return the number of variances and covariances of components that share a structure.

    The structure is that of the block. Without a block an axis-aligned structure is that of all numeric columns.
    Other columns have a variance for each component.
    """
    n_structured, n_independent = len(layout.block), len(layout.independent_columns)
    if not n_structured and structure.is_axis_aligned:
        n_structured, n_independent = n_independent, 0
    n_parameters = structure.n_covariance_parameters(n_components, n_structured) if n_structured else 0
    return n_parameters + n_components * n_independent
