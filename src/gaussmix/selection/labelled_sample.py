"""A sample of rows some of whose components are known: drawn from each kind of row by itself, so that none is lost.

Of the rows of each component, and of those of which nothing is known, as large a share as of all rows is
drawn, or more where these are few; their weights make up for it.
"""

from dataclasses import replace

import numpy as np

from gaussmix.core.label_prior import KnownComponents
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.types import ND, IntN, N

_MIN_ROWS_PER_LABEL = 50  # rows drawn of each kind, or all there are


def draw_labelled_sample(
    problem: Problem, known_components: IntN, n_rows: int, rng: np.random.Generator
) -> tuple[ND, N, IntN]:
    """About ``count`` of the rows of a problem, (m, D) in the data's units, their weights and known components (m,)."""
    framed, counts = problem.source.collect(None)
    rows = problem.source.frame.restore_means(framed)
    share, parts = min(1.0, n_rows / np.count_nonzero(counts)), []
    for label in np.unique(known_components).tolist():
        own = (known_components == label) & (counts > 0)
        if not own.any():
            continue
        wanted = max(int(np.ceil(share * own.sum())), _MIN_ROWS_PER_LABEL)
        drawn = draw_representative_sample(problem.on_rows(rows[own], counts[own]), wanted, rng)
        scale = share * float(counts[own].sum() / drawn.weights.sum())
        parts.append((drawn.rows, drawn.weights * scale, np.full(len(drawn.rows), label)))
    drawn_rows, drawn_weights, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    return drawn_rows, drawn_weights, labels


def restrict_to_sample(problem: Problem, sample: tuple[ND, N, IntN]) -> Problem:
    """A problem on such a sample of its rows."""
    rows, weights, known = sample
    few = problem.on_rows(rows, weights)
    return replace(few, source=few.source.with_label_prior(KnownComponents(known)))
