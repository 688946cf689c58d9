"""How many rows a covariance structure needs, in each component and in all components together.

An estimate is regular if it exists, is unique and is positive definite. ``n_k`` rows in general position have scatter
of rank ``min(n_k - 1, D)``. What that has to be follows from the likelihood of each structure, given the assignment of
the rows:

- A volume of its own needs scatter, so two rows. A shared volume needs scatter in one component only.
- A shape of its own along the columns needs scatter in every column, so two rows. Along other axes it needs scatter in
  every direction, so D + 1 rows: with fewer, the likelihood is unbounded, or the shape is singular.
- Axes of its own are unique if all eigenvalues but one are positive, so D rows, if the shape is shared.
- A shared matrix needs pooled scatter of rank D, so D rows more than there are means. A shared shape along different
  axes needs one component with scatter of rank D.
- Factors: loadings explain scatter of rank q exactly, so a noise variance needs scatter of rank q + 1. Loadings of its
  own with q independent columns need rank q.

References: Celeux & Govaert, "Gaussian parsimonious clustering models", Pattern Recognition 28 (1995), for the
estimates; Robertson & Symons, "Maximum likelihood factor analysis with rank-deficient sample covariance matrices",
Journal of Multivariate Analysis 98 (2007); McLachlan & Peel, "Finite Mixture Models" (2000), section 3.8, for
unbounded likelihoods.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowRequirement:
    """Fewest rows, counted by their weight, with which a covariance structure can be estimated.

    Attributes
    ----------
    per_component : int
        Rows that each component needs.
    in_total : int
        Rows that all components need together.
    """

    per_component: int
    in_total: int


def mclust_row_requirement(
    volume: str, shape: str, orientation: str, n_components: int, n_features: int
) -> RowRequirement:
    """Return the rows that mclust's structure of these three letters needs for ``n_features`` columns."""
    if n_features == 1:  # one column has a volume only
        shape = orientation = "I"
    rows_for_volume = 2 if volume == "V" else 1
    if shape == "V":
        per_component = max(rows_for_volume, 2 if orientation == "I" else n_features + 1)
        return RowRequirement(per_component, n_components * per_component)
    per_component = max(rows_for_volume, n_features if orientation == "V" else 1)
    rows_for_pooled_scatter = {
        "I": n_components + 1,
        "E": n_components + n_features,
        "V": n_components * n_features + 1,  # one component has D + 1 rows if each has D
    }[orientation]
    return RowRequirement(per_component, max(n_components * per_component, rows_for_pooled_scatter))


def factor_row_requirement(
    has_shared_loadings: bool, has_shared_noise_variance: bool, n_factors: int, n_components: int
) -> RowRequirement:
    """Return the rows that a mixture of factor analysers needs; it does not depend on the number of columns."""
    if not has_shared_noise_variance:  # shared loadings could follow any component of fewer rows
        return RowRequirement(n_factors + 2, n_components * (n_factors + 2))
    if has_shared_loadings:
        return RowRequirement(1, n_components + n_factors + 1)
    # One component has q + 2 rows if each has q + 1.
    return RowRequirement(n_factors + 1, n_components * (n_factors + 1) + 1)
