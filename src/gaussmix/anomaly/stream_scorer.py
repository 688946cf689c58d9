"""The state of a stream, and what it says of each row: a p-value, and whether it begins a new story."""

from collections import deque
from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gaussmix.anomaly.online_mixture import OnlineMixture
from gaussmix.anomaly.rank_window import RankWindow
from gaussmix.anomaly.recent_rows import RecentRows
from gaussmix.anomaly.stream_units import MAX_DEVIATION, StreamUnits
from gaussmix.model.archive import ArchiveContent
from gaussmix.types import ND, AnyArray, Array, D

# Values farther from the median of their column, in robust scales, are wild: they count as if they were there in the
# context of later rows and in the variance of all rows. The rows themselves are scored and learned as they are.
_WILD_DEVIATION = 100.0


class StreamOptions(NamedTuple):
    """The parameters of a stream; `StreamingAnomalyDetector` explains them."""

    window: int
    n_components: int
    memory: int
    refractory: int


class RowScore(NamedTuple):
    """What a stream says of a row.

    Attributes
    ----------
    p_value : float
        1 for a row that could not be scored.
    is_onset : bool
        Whether none of the last ``refractory`` rows was as surprising.
    """

    p_value: float
    is_onset: bool

    @property
    def onset_p_value(self) -> float:
        """The p-value, and 1 unless the row is an onset."""
        return self.p_value if self.is_onset else 1.0


UNKNOWN = RowScore(1.0, False)


class StreamScorer:
    """Mixtures, ranks and the last rows of a stream.

    One mixture describes the rows. With a window, a second one describes each row together with the mean of the rows of
    the window before it. A row gets the rank of its surprise under each. The geometric mean of several p-values, times
    e, is a p-value whatever their dependence (Vovk & Wang, "Combining p-values via averaging", Biometrika 107, 2020).

    Parameters
    ----------
    n_features : int
        Number of columns.
    options : StreamOptions
    """

    def __init__(self, n_features: int, options: StreamOptions) -> None:
        self.options = options
        self.units = StreamUnits.for_columns(n_features)
        self.history = RecentRows(options.memory, n_features)
        widths = (n_features, 2 * n_features) if options.window > 0 else (n_features,)
        self.mixtures = [OnlineMixture(width, options.n_components, options.memory) for width in widths]
        self.ranks = [RankWindow(options.memory) for _ in widths]
        self._context = np.zeros((options.window, n_features))
        self._limits = np.zeros((2, n_features))
        self._n_context = 0
        self._last_evidence: deque[float] = deque(maxlen=options.refractory)

    def score_and_learn(self, row: D) -> RowScore:
        """Return the score of a row (D,) under what was learned before, then learn the row.

        Values that are NaN take the last value of their column. A row of NaN only changes nothing.
        """
        filled = self.units.fill_missing_values(row)
        if filled is None:
            return UNKNOWN
        if self.history.append(filled):
            self._adapt_to_scales()
        scaled = self.units.to_units(filled)
        evidence = 0.0
        for mixture, ranks, embedded in zip(self.mixtures, self.ranks, self._embed_row(scaled), strict=True):
            surprise = mixture.score(embedded)
            evidence -= log(ranks.p_value(surprise))
            mixture.learn(embedded)
            ranks.append(surprise)
        if self.options.window > 0:
            self._context[self._n_context % self.options.window] = self._limit(scaled)
            self._n_context += 1
        is_onset = evidence > max(self._last_evidence, default=0.0)
        self._last_evidence.append(evidence)
        return RowScore(self._to_p_value(evidence), is_onset)

    def _embed_row(self, row: D) -> list[D]:
        """Return the row for each mixture: alone, and followed by the mean of the window before it."""
        if self.options.window == 0:
            return [row]
        n_before = min(self._n_context, self.options.window)
        before = np.add.reduce(self._context[:n_before]) / n_before if n_before > 0 else row
        return [row, np.concatenate((row, before))]

    def _to_p_value(self, evidence: float) -> float:
        """Return the p-value that the sum of the negative logarithms of the p-values stands for."""
        n_mixtures = len(self.mixtures)
        return exp(-evidence) if n_mixtures == 1 else min(1.0, exp(1.0 - evidence / n_mixtures))

    def _adapt_to_scales(self) -> None:
        """Choose units and limits of the rows by the location and scale of the last rows."""
        scales = self.history.scales
        change = self.units.adapt(scales)
        if change is not None:
            self._context = np.clip((self._context - change.shift) * change.factor, -MAX_DEVIATION, MAX_DEVIATION)
            for mixture in self.mixtures:
                mixture.change_units(*(np.resize(part, mixture.n_features) for part in change))
        self._limits = self.units.to_units(scales.limits(_WILD_DEVIATION))
        rows = self._limit(self.units.to_units(self.history.rows_in_order()))
        for mixture, embedded in zip(self.mixtures, self._embed_rows(rows), strict=True):
            limits = np.full((2, mixture.n_features), [[-np.inf], [np.inf]])
            limits[:, : len(rows[0])] = self._limits
            mixture.limit_rows(limits, embedded)

    def _limit(self, rows: Array) -> Array:
        """Return rows, in units, with wild values moved to the limits."""
        return np.asarray(np.minimum(np.maximum(rows, self._limits[0]), self._limits[1]))

    def _embed_rows(self, rows: ND) -> list[ND]:
        """Return the last rows (n, D) for each mixture; the contexts of the first ones are means of fewer rows."""
        window = self.options.window
        if window == 0:
            return [rows]
        first_rows = rows[: min(window, len(rows) - 1)]
        means = np.cumsum(first_rows, axis=0) / np.arange(1, len(first_rows) + 1)[:, None]
        if len(rows) > window + 1:
            means = np.concatenate((means, sliding_window_view(rows[1:-1], window, axis=0).mean(axis=-1)))
        return [rows, np.concatenate((rows, np.concatenate((rows[:1], means))), axis=1)]

    def to_tensors(self) -> dict[str, AnyArray]:
        """Return the state as arrays by name."""
        tensors: dict[str, AnyArray] = {
            "origin": self.units.origin,
            "exponent": self.units.exponent,
            "has_unit": self.units.has_unit.astype(np.int64),
            "last_row": self.units.last_row,
            "context": self._context,
            "limits": self._limits,
            **self.history.to_tensors(),
            "n_context": np.array([self._n_context]),
            "last_evidence": np.array(self._last_evidence),
        }
        for index, (mixture, ranks) in enumerate(zip(self.mixtures, self.ranks, strict=True)):
            tensors |= ArchiveContent({}, mixture.to_tensors()).with_prefix(f"mixture{index}.").tensors
            tensors[f"surprises{index}"] = ranks.to_array()
        return tensors

    @classmethod
    def from_content(cls, content: ArchiveContent, options: StreamOptions) -> "StreamScorer":
        """Return the scorer whose state was stored; raise one of DAMAGE_ERRORS if arrays don't fit each other."""
        tensors = content.tensors
        scorer = cls(len(tensors["origin"]), options)
        has_unit = tensors["has_unit"].astype(bool)
        scorer.units = StreamUnits(tensors["origin"], tensors["exponent"], has_unit, tensors["last_row"])
        scorer.history.set_tensors(tensors)
        scorer._context[...] = tensors["context"]
        scorer._limits[...] = tensors["limits"]
        scorer._n_context = int(tensors["n_context"][0])
        scorer._last_evidence.extend(tensors["last_evidence"].tolist())
        scorer.ranks = [RankWindow(options.memory, tensors[f"surprises{i}"]) for i in range(len(scorer.mixtures))]
        for index, mixture in enumerate(scorer.mixtures):
            mixture.set_tensors(content.part(f"mixture{index}.").tensors)
        return scorer
