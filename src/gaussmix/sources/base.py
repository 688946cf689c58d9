"""The socket for data: two methods, and capabilities that a source may have on top."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import LabelPrior, require_label_prior_of_rows
from gaussmix.core.reduce import T
from gaussmix.errors import CapabilityError
from gaussmix.types import ND, N

_MAX_BLOCK_BYTES = 1 << 21
_MIN_ROWS_PER_BLOCK, _MIN_NUMBERS_PER_BLOCK = 2048, 8192  # fewer take less time than a block of their own
_MAX_BLOCKS_FOR_THREADS = 16  # blocks of data that would fit into fewer: enough to keep several threads busy


class CollectedRows(NamedTuple):
    """Rows (m, D) in working coordinates, and the weight (m,) of each."""

    rows: ND
    weights: N


class AbstractSource(ABC):
    """Rows of numbers with weights; a new kind of data implements `n_features`, `reduce` and `collect`.

    The batches and the order in which their values are added depend on data and task alone, so that a sum is the same
    bit for bit whoever computes its terms. Frames and label priors are views: the methods here work for every source,
    and a source that can do better overrides them. What only some sources can do is a capability, asked for by
    `require_capability`.
    """

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of columns D."""

    @abstractmethod
    def reduce(self, task: Callable[[Batch], T]) -> T:
        """Return the sum of task(batch) over all batches, added with ``+`` from first to last.

        Each `Batch` holds ``raw_rows`` (n, n_features), finite floats, optional ``weights`` (n,), and ``first_row``,
        the number of rows in the batches before it. Predictions and label priors find their rows by ``first_row``.
        """

    @abstractmethod
    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        """Return every row in order, unmerged, if ``max_distinct_rows`` is None; else up to that many distinct rows.

        Parameters
        ----------
        max_distinct_rows : int or None
            Number of distinct rows to take, those of lowest hash of their contents, sorted by hash. Equal rows are one
            row with the sum of their weights, and rows of weight zero are left out. None returns every row as it is.
        hash_key : int, default=0
            Key of the hash: another key, another choice.
        """

    @property
    def n_rows(self) -> int | None:
        """Number of rows if the source knows it without reading them, else None."""
        return None

    @property
    def frame(self) -> Frame:
        """The map from the data's units to the working coordinates of the batches."""
        return Frame.identity(self.n_features)

    @property
    def completion(self) -> "AbstractSource":
        """A source of rows with numbers in all cells: this one, unless rows lack some."""
        return self

    @property
    def is_complete(self) -> bool:
        """Whether every row has all cells."""
        return self.completion is self

    def sum_log_jacobians(self, total_weight: float) -> float:
        """Return log |d working / d data| added up over the rows, whose weights add up to ``total_weight``."""
        return total_weight * self.frame.log_abs_det_jacobian

    @property
    def label_prior(self) -> LabelPrior | None:
        """Known components, or log prior probabilities of components, of each row; None if there are none."""
        return None

    def with_frame(self, frame: Frame) -> "AbstractSource":
        """Return the same rows in the working coordinates of another frame."""
        return SourceView(self, frame, self.label_prior)

    def with_label_prior(self, label_prior: LabelPrior | None) -> "AbstractSource":
        """Return the same rows with another label prior, or with none.

        Raises
        ------
        ParameterError
            If it is no label prior.
        LabelError
            If it describes another number of rows.
        """
        require_label_prior_of_rows(label_prior, self.n_rows)
        return SourceView(self, self.frame, label_prior)


@dataclass(frozen=True)
class _ViewTask(Generic[T]):
    """A task that sees the batches of a source in other coordinates and with another label prior."""

    task: Callable[[Batch], T]
    view_frame: Frame
    label_prior: LabelPrior | None

    def __call__(self, batch: Batch) -> T:
        prior = None if self.label_prior is None else self.label_prior.select_rows(batch.row_slice)
        return self.task(replace(batch, frame=self.view_frame, label_prior=prior))


@dataclass(frozen=True)
class SourceView(AbstractSource):
    """A source whose batches carry another frame and another label prior."""

    source: AbstractSource
    view_frame: Frame
    view_label_prior: LabelPrior | None

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return self.source.n_features

    @property
    def n_rows(self) -> int | None:
        """Number of rows, None if it is not known without a pass."""
        return self.source.n_rows

    @property
    def frame(self) -> Frame:
        """The map from the data's units to the working coordinates of the batches."""
        return self.view_frame

    @property
    def label_prior(self) -> LabelPrior | None:
        """What is known of the rows' components."""
        return self.view_label_prior

    def reduce(self, task: Callable[[Batch], T]) -> T:
        """Return task(batch) added up over all batches, first to last."""
        return self.source.reduce(_ViewTask(task, self.view_frame, self.view_label_prior))

    def collect(self, max_distinct_rows: int | None, hash_key: int = 0) -> CollectedRows:
        """Return every row in order, unmerged, if ``max_distinct_rows`` is None; else up to that many distinct rows."""
        collected = self.source.collect(max_distinct_rows, hash_key)
        return CollectedRows(self.view_frame.transform_rows(collected.rows), collected.weights)

    def with_frame(self, frame: Frame) -> "SourceView":
        """Return the same rows in other working coordinates."""
        return replace(self, view_frame=frame)

    def with_label_prior(self, label_prior: LabelPrior | None) -> "SourceView":
        """Return the same rows with another label prior."""
        require_label_prior_of_rows(label_prior, self.n_rows)
        return replace(self, view_label_prior=label_prior)


@runtime_checkable
class SupportsRowHashSplit(Protocol):
    """A source whose rows can be divided by a hash of their values, as mini-batches need it."""

    def split_by_row_hash(self, max_parts: int, key: int) -> list[AbstractSource]:
        """Return at most ``max_parts`` sources, none without weight; a hash of a row's values decides its part."""
        ...


C = TypeVar("C")


def require_capability(source: object, capability: type[C], purpose: str) -> C:
    """Return the source unchanged, typed as one that has a capability, else raise a CapabilityError.

    Raises
    ------
    CapabilityError
        If it has not; the message names the capability and the ``purpose`` that needs it.
    """
    if not isinstance(source, capability):
        raise CapabilityError.missing(type(source).__name__, capability.__name__, purpose)
    return source


def max_rows_per_block(n_rows: int, n_features: int, n_preferred_rows: int = 0) -> int:
    """Return the number of rows of a block, a multiple of 8, by the shape of the data and the wish of the task.

    Few rows are one block; more are cut into up to 16, none smaller than its sums are worth; many
    into as many as keep a block at about two megabytes of float64. A task that prefers larger blocks gets them as
    long as there are 16.
    """
    n_blocks = 1
    min_block_rows = max(_MIN_ROWS_PER_BLOCK, 16 * n_features, _MIN_NUMBERS_PER_BLOCK // n_features)
    while n_blocks < _MAX_BLOCKS_FOR_THREADS and n_rows >= 2 * n_blocks * min_block_rows:
        n_blocks *= 2
    n_blocks = max(n_blocks, math.ceil(8 * n_rows * n_features / _MAX_BLOCK_BYTES))
    if n_blocks > _MAX_BLOCKS_FOR_THREADS and n_preferred_rows > 0:
        n_blocks = max(_MAX_BLOCKS_FOR_THREADS, min(n_blocks, n_rows // n_preferred_rows))
    return max(8, 8 * math.ceil(n_rows / n_blocks / 8))


def count_rows(batch: Batch) -> int:
    """Return the number of rows of a batch; a task that counts the rows of a source."""
    return batch.n_rows
