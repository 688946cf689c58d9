"""Sample of rows some of whose components are known; each known component is sampled by itself, so none is lost.

The same fraction is drawn from the rows of each known component and from the rows of unknown component, but at least
a minimum number of rows. Weights make up for the different fractions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.reduce import T
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.subsampling import draw_representative_sample
from gaussmix.sources.base import AbstractSource, CollectedRows
from gaussmix.sources.collecting import collect_all_or_distinct_rows
from gaussmix.types import ND, Array, IntK, IntN, N

_MIN_ROWS_PER_LABEL = 50  # or all there are


class LabelledSample(NamedTuple):
    """Sampled rows (m, D) in the data's units, their weights (m,) and known components (m,); -1 means unknown."""

    rows: ND
    weights: N
    known_components: IntN


def draw_labelled_sample(problem: Problem, target_sample_size: int, rng: np.random.Generator) -> LabelledSample:
    """Draw about ``target_sample_size`` rows, at least 50 (or all) of each known component and of the unknown rows.

    The label prior of the problem is `KnownComponents`. One pass counts the rows of each label. Then each label's rows
    are sampled as `draw_representative_sample` samples all rows.
    """
    source = problem.source
    assert isinstance(source.label_prior, KnownComponents)
    labels = np.unique(source.label_prior.labels)
    n_label_rows, label_weights = source.reduce(_LabelCounter(labels))
    fraction = min(1.0, target_sample_size / float(n_label_rows.sum()))
    samples = []
    for label, n_rows_of_label, label_weight in zip(labels, n_label_rows, label_weights, strict=True):
        if n_rows_of_label == 0:
            continue
        n_sampled = max(int(np.ceil(fraction * n_rows_of_label)), _MIN_ROWS_PER_LABEL)
        label_problem = replace(problem, source=_LabelSource(source, int(label)))
        sample = draw_representative_sample(label_problem, n_sampled, rng)
        scale = fraction * float(label_weight / sample.weights.sum())
        samples.append((sample.rows, sample.weights * scale, np.full(len(sample.rows), label)))
    rows, weights, known_components = (np.concatenate(arrays) for arrays in zip(*samples, strict=True))
    return LabelledSample(rows, weights, known_components)


def restrict_to_sample(problem: Problem, sample: LabelledSample) -> Problem:
    """Return the problem on the rows of a sample, with their known components as label prior."""
    sample_problem = problem.on_sample_of_rows(sample.rows, sample.weights)
    source = sample_problem.source.with_label_prior(KnownComponents(sample.known_components))
    return replace(sample_problem, source=source)


@dataclass(frozen=True)
class _LabelCounter:
    """A task that returns the numbers of rows with positive weight, and their weights, per label: (2, n_labels)."""

    labels: IntK

    def __call__(self, batch: Batch) -> Array:
        """Return the numbers of rows with positive weight, and their weights, of a batch, (2, n_labels)."""
        weights = np.ones(batch.n_rows) if batch.weights is None else batch.weights
        indices = np.searchsorted(self.labels, _known_components_of_rows(batch))
        size = len(self.labels)
        return np.array([np.bincount(indices, weights > 0, size), np.bincount(indices, weights, size)])


@dataclass(frozen=True)
class _TaskOnLabel(Generic[T]):
    """A task that sees only the rows of one label with positive weight."""

    task: Callable[[Batch], T]
    label: int

    def __call__(self, batch: Batch) -> T:
        """Return the task's result for the rows of a batch that have the label and positive weight."""
        is_selected = _known_components_of_rows(batch) == self.label
        if batch.weights is not None:
            is_selected &= batch.weights > 0
        selected = np.flatnonzero(is_selected)
        weights = None if batch.weights is None else batch.weights[selected]
        return self.task(replace(batch, raw_rows=batch.raw_rows[selected], weights=weights, label_prior=None))


@dataclass(frozen=True)
class _LabelSource(AbstractSource):
    """The rows of one label; batches are filtered during each pass, so no copy of the data is held."""

    source: AbstractSource
    label: int

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self.source.n_features

    @property
    def frame(self) -> Frame:
        """The frame of the unfiltered source."""
        return self.source.frame

    def reduce(self, task: Callable[[Batch], T]) -> T:
        """Return the sum of task(batch) over all batches, restricted to the rows of the label."""
        return self.source.reduce(_TaskOnLabel(task, self.label))

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        """Return all rows of the label, repeated ones too, for None; else up to ``max_distinct_rows`` distinct ones."""
        return collect_all_or_distinct_rows(self, max_distinct_rows, hash_key)


def _known_components_of_rows(batch: Batch) -> IntN:
    """Return the known component (n,) of each row of a batch, -1 where it is unknown."""
    assert isinstance(batch.label_prior, KnownComponents)
    return batch.label_prior.labels
