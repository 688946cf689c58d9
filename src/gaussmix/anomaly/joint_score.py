"""``JointScore``: how typical the values of a row are together, whatever each of them is alone.

Each column becomes normal by its ranks in the rows of the fit (a Gaussian copula). The score is the log density of a
mixture of up to four Gaussians there, so that wild values, heavy tails and units do not matter. Beyond the values of
the fit, a value counts as the last one: a martingale of its own watches each column.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from gaussmix.anomaly.member import MemberOptions, fit_mixture, log_density
from gaussmix.core.random_numbers import make_generator
from gaussmix.covariance import Structure
from gaussmix.model import Mixture
from gaussmix.model.archive import ArchiveContent
from gaussmix.model.serialization import pack_parameters, unpack_parameters
from gaussmix.types import ND, N

MIN_ROWS = 20
_NUMBERS_OF_COMPONENTS = (1, 2, 4)
_RIDGE = 1e-3  # in squared normal scores: a relation among columns counts as this loose at least
_MAX_KNOTS = 512
_MAX_FIT_ROWS = 2000  # more rows hardly change the mixture
_SEED = 0


@dataclass(frozen=True, eq=False)
class JointScore:
    """A fitted score of rows (n, D).

    Attributes
    ----------
    columns : tuple of int
        The d columns that vary.
    knots : tuple of arrays
        Ascending distinct values of each of them.
    normal_scores : tuple of arrays
        The normal score of each knot.
    mixture : Mixture
        Of the normal scores.
    """

    columns: tuple[int, ...]
    knots: tuple[N, ...]
    normal_scores: tuple[N, ...]
    mixture: Mixture

    def __call__(self, rows: ND) -> N:
        """Return the score (n,) of rows (n, D) without missing cells; a higher one is more typical."""
        return log_density(self.mixture, _to_normal_scores(rows[:, self.columns], self.knots, self.normal_scores))

    def pack(self) -> ArchiveContent:
        """Return the score as strings and arrays by name."""
        content = pack_parameters(self.mixture)
        bounds = np.cumsum([0, *map(len, self.knots)])
        tensors = {"columns": np.array(self.columns), "bounds": bounds}
        tensors |= {"knots": np.concatenate(self.knots), "normal_scores": np.concatenate(self.normal_scores)}
        parts = content.with_prefix("mixture.")
        return ArchiveContent(parts.metadata, {**parts.tensors, **tensors})

    @classmethod
    def unpack(cls, content: ArchiveContent) -> "JointScore":
        """Return the score that `pack` stored; raise one of DAMAGE_ERRORS if parts are missing."""
        tensors = content.tensors
        slices = [slice(first, last) for first, last in pairwise(tensors["bounds"].tolist())]
        return cls(
            tuple(tensors["columns"].tolist()),
            tuple(tensors["knots"][each] for each in slices),
            tuple(tensors["normal_scores"][each] for each in slices),
            unpack_parameters(content.part("mixture."), Mixture),
        )


class ScoredReference(NamedTuple):
    """A score, and its values (n,) for the rows of a reference: NaN for rows of the fit and rows with missing cells."""

    score: JointScore
    values: N


def score_reference(rows: ND, seed: int) -> ScoredReference | None:
    """Return a score fitted to a random half of the complete rows (n, D), at most 2000, with values for the others.

    None if there are fewer than 40 such rows, or fewer than two columns vary.
    """
    complete = np.flatnonzero(~np.isnan(rows).any(axis=1))
    if len(complete) < 2 * MIN_ROWS:
        return None
    order = make_generator(seed).permutation(complete)
    n_fit = min(len(order) // 2, _MAX_FIT_ROWS)
    score = fit_joint_score(rows[order[:n_fit]])
    if score is None:
        return None
    values = np.full(len(rows), np.nan)
    values[order[n_fit:]] = score(rows[order[n_fit:]])
    return ScoredReference(score, values)


def fit_joint_score(rows: ND) -> JointScore | None:
    """Return the score fitted to rows (n, D) without missing cells; None if fewer than two columns vary."""
    columns = tuple(np.flatnonzero((rows != rows[:1]).any(axis=0)).tolist())
    if len(columns) < 2:
        return None
    maps = [_map_to_normal_scores(rows[:, column]) for column in columns]
    knots, normal_scores = tuple(knots for knots, _ in maps), tuple(scores for _, scores in maps)
    values = _to_normal_scores(rows[:, columns], knots, normal_scores)
    mixtures = [_fit(values, n_components) for n_components in _NUMBERS_OF_COMPONENTS]
    return JointScore(columns, knots, normal_scores, min(mixtures, key=lambda mixture: _bic(mixture, values)))


def _map_to_normal_scores(values: N) -> tuple[N, N]:
    """Return distinct values, thinned to at most some hundred, and their normal scores by middle ranks."""
    distinct, counts = np.unique(values, return_counts=True)
    normal_scores = ndtri((np.cumsum(counts) - 0.5 * counts) / len(values))
    kept = np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), _MAX_KNOTS)).round().astype(int))
    return distinct[kept], normal_scores[kept]


def _to_normal_scores(rows: ND, knots: tuple[N, ...], normal_scores: tuple[N, ...]) -> ND:
    """Return rows (n, d) with each column interpolated between its knots."""
    parts = zip(rows.T, knots, normal_scores, strict=True)
    return np.column_stack([np.interp(values, x, z) for values, x, z in parts])


def _fit(values: ND, n_components: int) -> Mixture:
    """Return the mixture of normal scores (n, d)."""
    return fit_mixture(values, None, MemberOptions(n_components, Structure.from_name("VVV"), _RIDGE, True), _SEED)


def _bic(mixture: Mixture, values: ND) -> float:
    """Return the Bayesian information criterion of normal scores (n, d), lower is better."""
    log_likelihood = log_density(mixture, values).sum() + len(values) * mixture.frame.log_abs_det_jacobian
    return float(mixture.n_parameters * np.log(len(values)) - 2.0 * log_likelihood)
