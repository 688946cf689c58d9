"""``ClassModel``: everything that a classifier needs to score a table, without the rows that it learned from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaussmix.classification.calibration import AbstractCalibration
from gaussmix.classification.families.member_average import average_log_densities, average_log_probabilities
from gaussmix.classification.families.members import Members
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.classification.table import EncodedRows, TableSchema
from gaussmix.core.blas import one_blas_thread
from gaussmix.types import NK, IntD, N

_MAX_BLOCK_CELLS = 2_000_000  # of features at one time


@dataclass(frozen=True, eq=False)
class ClassModel:
    """A schema, the mixtures of its encoded rows, and a calibration.

    Attributes
    ----------
    schema : TableSchema
    categories : ndarray of int64 of shape (C,)
        Positions of the encoded categorical columns that the mixtures use.
    layout : FeatureLayout
    members : tuple of MixedMixture
    calibration : AbstractCalibration or None
    unused_numbers : ndarray of int64
        Positions of the encoded numeric columns that count as missing, since they say nothing about the class.
    """

    schema: TableSchema
    categories: IntD
    layout: FeatureLayout
    members: Members = field(repr=False)
    calibration: AbstractCalibration | None = None
    unused_numbers: IntD = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def n_classes(self) -> int:
        """Number of classes Y."""
        return self.members[0].n_classes

    def log_probabilities(self, encoded: EncodedRows) -> NK:
        """Return calibrated log class probabilities (n, Y) of encoded rows."""
        with one_blas_thread():
            blocks = [average_log_probabilities(self.members, rows) for rows in self._iterate_blocks(encoded)]
        log_probabilities = np.concatenate([np.empty((0, self.n_classes)), *blocks])
        return self.calibrate(log_probabilities)

    def calibrate(self, log_probabilities: NK) -> NK:
        """Return calibrated log probabilities (n, Y)."""
        return log_probabilities if self.calibration is None else self.calibration.apply(log_probabilities)

    def log_densities(self, encoded: EncodedRows) -> N:
        """Return the log density (n,) of the present cells of encoded rows, per standardised unit."""
        with one_blas_thread():
            blocks = [average_log_densities(self.members, rows) for rows in self._iterate_blocks(encoded)]
        return np.concatenate([np.empty(0), *blocks])

    def log_jacobian(self, encoded: EncodedRows) -> N:
        """Return the log derivative (n,) of the present numbers of encoded rows by the data's units."""
        return compute_log_jacobians(self.schema, mask_numbers(encoded, self.unused_numbers))

    def compute_features(self, encoded: EncodedRows) -> MixedRows:
        """Return the features of encoded rows."""
        used = self.select_used_cells(encoded)
        return MixedRows.from_cells(self.layout, used.numeric, used.codes)

    def select_used_cells(self, encoded: EncodedRows) -> EncodedRows:
        """Return the cells that the mixtures use: unused numbers are missing, unused categories left out."""
        numeric = mask_numbers(encoded, self.unused_numbers).numeric
        return EncodedRows(numeric, encoded.codes[:, self.categories])

    def encode(self, X: Any) -> EncodedRows:
        """Return the encoded rows of a table."""
        return self.schema.encode(X)

    def _iterate_blocks(self, encoded: EncodedRows) -> Iterator[MixedRows]:
        """Yield the features of consecutive rows, few enough for the memory."""
        n_rows = max(1, _MAX_BLOCK_CELLS // self.layout.n_features)
        for start in range(0, encoded.n_rows, n_rows):
            yield self.compute_features(encoded.select_rows(slice(start, start + n_rows)))


def mask_numbers(encoded: EncodedRows, unused: IntD) -> EncodedRows:
    """Return encoded rows in which some numeric columns, by position, are missing."""
    if not len(unused):
        return encoded
    numeric = encoded.numeric.copy()
    numeric[:, unused] = np.nan
    return EncodedRows(numeric, encoded.codes)


def compute_log_jacobians(schema: TableSchema, encoded: EncodedRows) -> N:
    """Return the log derivative (n,) of the present numbers of encoded rows by the data's units."""
    total = np.zeros(encoded.n_rows)
    for column, standardized in zip(schema.numeric, encoded.numeric.T, strict=True):
        is_present = ~np.isnan(standardized)
        total[is_present] += column.log_derivative(column.to_units(standardized[is_present]))
    return total
