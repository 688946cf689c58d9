"""Labelled rows with gaps and categories, as tables and as training rows."""

import numpy as np

from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout


def draw_classes(seed, n=120, n_columns=3, n_classes=3):
    """Return rows (n, D) of classes of different means and covariances, and the classes (n,)."""
    rng = np.random.default_rng(seed)
    classes = np.sort(rng.integers(n_classes, size=n))
    factors = rng.normal(size=(n_classes, n_columns, n_columns)) + 2.0 * np.eye(n_columns)
    means = 3.0 * rng.normal(size=(n_classes, n_columns))
    rows = means[classes] + np.einsum("nij,nj->ni", factors[classes], rng.normal(size=(n, n_columns)))
    return rows, classes


def remove_cells(rows, seed, fraction=0.2):
    """Return a copy of rows in which a random fraction of the cells is missing."""
    with_gaps = rows.copy()
    with_gaps[np.random.default_rng(seed).random(rows.shape) < fraction] = np.nan
    return with_gaps


def draw_levels(classes, seed, gap_fraction=0.1):
    """Return a categorical column (n, 1) of three levels whose frequencies depend on the class, with gaps."""
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random(len(classes)) < 0.5, classes % 3, rng.integers(3, size=len(classes)))
    codes[rng.random(len(classes)) < gap_fraction] = -1
    return codes[:, None]


def make_training_rows(numeric, classes, codes=None, has_block=True, weights=None, units=None):
    """Return training rows of standardised numbers; with a block of all columns, or with none."""
    n_rows, n_columns = numeric.shape
    codes = np.empty((n_rows, 0), dtype=np.int64) if codes is None else codes
    n_levels = tuple(int(column.max()) + 1 for column in codes.T)
    layout = FeatureLayout(n_columns, tuple(range(n_columns)) if has_block else (), n_levels)
    classes = np.asarray(classes, dtype=np.int64)
    return TrainingRows(layout, numeric, codes, classes, int(classes.max()) + 1, weights, units)
