"""``MixedParametrization``: a mixture as free numbers, zero at the mixture where a refinement starts.

Means are in standard deviations of their component, variances and covariances are factors of the first ones, weights
and levels are logits. The numbers are thereby without units, and a penalty on their squares keeps a refined mixture
close to the first one in every column alike.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.classification.mixed.log_probabilities import normalize_logits
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import PatternSums
from gaussmix.core.linalg import cholesky_stack
from gaussmix.types import KDD, Array, IntD, N


@dataclass(frozen=True, eq=False)
class MixedParametrization:
    """The free numbers (p,) of the mixtures around an ``origin``."""

    origin: MixedMixture

    @cached_property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each part: weights, means, log scales, block means, block factors, classes, tables."""
        mixture, n_block = self.origin, len(self.origin.layout.block)
        n_classes = 0 if mixture.has_class_components else mixture.n_classes
        return (
            mixture.log_weights.shape,
            mixture.variances.shape,
            mixture.variances.shape,
            (mixture.n_components, n_block),
            (mixture.n_components, n_block * (n_block + 1) // 2),
            (mixture.n_components, n_classes),
            *(table.shape for table in mixture.tables),
        )

    @cached_property
    def _boundaries(self) -> Array:
        """First position of each part."""
        return np.cumsum([0, *(int(np.prod(shape)) for shape in self._shapes)])

    @property
    def n_parameters(self) -> int:
        """Number of free numbers p."""
        return int(self._boundaries[-1])

    @cached_property
    def _block_factors(self) -> KDD:
        """Lower Cholesky factors (K, b, b) of the origin's covariances."""
        return cholesky_stack(self.origin.covariances).factors

    @cached_property
    def _triangle(self) -> tuple[IntD, IntD]:
        """Positions of the lower triangle of a matrix (b, b)."""
        rows, columns = np.tril_indices(len(self.origin.layout.block))
        return rows.astype(np.int64), columns.astype(np.int64)

    def _split(self, parameters: N) -> list[Array]:
        """Return the parts of the free numbers, each in its shape."""
        pieces = np.split(parameters, self._boundaries[1:-1])
        return [piece.reshape(shape) for piece, shape in zip(pieces, self._shapes, strict=True)]

    def _relative_factors(self, block_part: Array) -> KDD:
        """Return the factors A (K, b, b) of covariances L A A^T L^T: logarithms on the diagonal, numbers below."""
        n_components, n_block = len(block_part), len(self.origin.layout.block)
        factors = np.zeros((n_components, n_block, n_block))
        factors[:, self._triangle[0], self._triangle[1]] = block_part
        diagonal = np.einsum("kii->ki", factors)
        diagonal[:] = np.exp(diagonal)
        return factors

    def to_mixture(self, parameters: N) -> MixedMixture:
        """Return the mixture of free numbers (p,)."""
        origin, layout = self.origin, self.origin.layout
        weights, shifts, log_scales, block_shifts, block_part, classes, *tables = self._split(parameters)
        means = origin.means.copy()
        means[:, layout.independent_columns] += np.sqrt(origin.variances) * shifts
        means[:, layout.block_columns] += np.einsum("kij,kj->ki", self._block_factors, block_shifts)
        factors = self._block_factors @ self._relative_factors(block_part)
        class_log_probabilities = origin.class_log_probabilities
        if classes.size:
            class_log_probabilities = normalize_logits(class_log_probabilities + classes)
        return replace(
            origin,
            log_weights=normalize_logits((origin.log_weights + weights)[None])[0],
            class_log_probabilities=class_log_probabilities,
            means=means,
            variances=origin.variances * np.exp(2.0 * log_scales),
            covariances=factors @ np.swapaxes(factors, 1, 2),
            tables=tuple(normalize_logits(first + shift) for first, shift in zip(origin.tables, tables, strict=True)),
        )

    def gradient(self, parameters: N, mixture: MixedMixture, sums: PatternSums, class_sums: Array) -> N:
        """Return the gradient (p,) of ``sum_nk g[n, k] score[n, k]``, plus that of the class probabilities.

        Parameters
        ----------
        parameters : ndarray of shape (p,)
        mixture : MixedMixture
            The mixture of these parameters.
        sums : PatternSums
            Sums of the features weighted by g, the derivative of the objective by each score.
        class_sums : ndarray of shape (K, Y)
            Sums of the derivative of the objective by each log class probability.
        """
        layout, total = mixture.layout, sums.total
        mass, values, squares = (total[:, kind] for kind in (layout.present, layout.values, layout.squares))
        means = mixture.means[:, layout.independent_columns]
        constant = total[:, layout.constant]
        scatter = squares - 2.0 * means * values + mass * means**2
        block_means, block_factors = self._block_gradient(parameters, mixture, sums)
        parts = [
            constant - np.exp(mixture.log_weights) * constant.sum(),
            (values - mass * means) / mixture.variances * np.sqrt(self.origin.variances),
            scatter / mixture.variances - mass,
            block_means,
            block_factors,
        ]
        if mixture.has_class_components:
            class_sums = np.zeros((mixture.n_components, 0))
        else:
            class_sums = _logit_gradient(class_sums, mixture.class_log_probabilities)
        parts.append(class_sums)
        pairs = zip(mixture.tables, layout.levels, strict=True)
        parts.extend(_logit_gradient(total[:, levels], table) for table, levels in pairs)
        return np.concatenate([part.ravel() for part in parts])

    def _block_gradient(self, parameters: N, mixture: MixedMixture, sums: PatternSums) -> tuple[Array, Array]:
        """Return the gradients of the block's shifts (K, b) and of its factors (K, b (b + 1) / 2)."""
        if not mixture.layout.block:
            return np.zeros((mixture.n_components, 0)), np.zeros((mixture.n_components, 0))
        precisions = mixture.block_precisions(sums.is_observed).matrices
        mass, first, second = sums.block_sums_about(mixture.block_means)
        by_means = np.einsum("gkij,gkj->ki", precisions, first)
        by_covariances = 0.5 * (precisions @ second @ precisions - mass[..., None, None] * precisions).sum(axis=0)
        relative = self._relative_factors(self._split(parameters)[4])
        first_factors = self._block_factors
        by_factors = 2.0 * np.swapaxes(first_factors, 1, 2) @ by_covariances @ first_factors @ relative
        by_diagonal = np.einsum("kii->ki", by_factors)
        by_diagonal *= np.einsum("kii->ki", relative)
        return np.einsum("kij,ki->kj", first_factors, by_means), by_factors[:, self._triangle[0], self._triangle[1]]


def _logit_gradient(sums: Array, log_probabilities: Array) -> Array:
    """Return the gradient by logits (K, L) from sums (K, L) of the derivative by log probabilities."""
    return np.asarray(sums - np.exp(log_probabilities) * sums.sum(axis=1, keepdims=True))
