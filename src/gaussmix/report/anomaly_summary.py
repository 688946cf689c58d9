"""``AnomalySummary``: the anomalies among some rows, with reasons, smallest changes and groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.anomaly_groups import AnomalyGroups
from gaussmix.anomaly.detector import AnomalyDetector
from gaussmix.anomaly.explanation import Explanations
from gaussmix.anomaly.judgement import Judgement, judge_rows
from gaussmix.anomaly.model_explanation import explain_by_model, group_by_model, make_normal_rule
from gaussmix.anomaly.smallest_change import SmallestChanges
from gaussmix.anomaly.value_grids import MAX_LEVELS
from gaussmix.plots.validation import check_detector
from gaussmix.report.anomaly_text import describe_anomalies, format_change
from gaussmix.report.identifiers import parse_identifiers
from gaussmix.types import AnyArray, ArrayLike, IntN

MAX_EXPLAINED_ROWS = 5000
_MIN_DOMINATED_ROWS, _DOMINANT_FRACTION = 10, 0.5  # fewer reasons can be read one by one


class DominantColumn(NamedTuple):
    """A column that most reasons name first: in how many of the explained rows, and its few values, or None."""

    name: str
    n_rows: int
    n_explained: int
    n_values: int | None


@dataclass(frozen=True, eq=False)
class AnomalySummary:
    """The anomalies among n rows. ``print`` shows them in words.

    Attributes
    ----------
    detector : AnomalyDetector
    judgement : Judgement
        P-values of all rows, which are anomalies, and the limit.
    explained : ndarray of int of shape (m,)
        Positions of the anomalies, the most unusual first, at most 5000.
    explanations, changes, groups : Explanations, SmallestChanges and AnomalyGroups, or None
        Those of the explained rows; None if there are no anomalies.
    identifiers : dict of str to ndarray of shape (n,)
        Columns that identify rows.
    """

    detector: AnomalyDetector
    judgement: Judgement
    explained: IntN
    explanations: Explanations | None = field(repr=False)
    changes: SmallestChanges | None = field(repr=False)
    groups: AnomalyGroups | None = field(repr=False)
    identifiers: dict[str, AnyArray] = field(repr=False)

    @property
    def group_names(self) -> list[str]:
        """Name of the anomaly group of each explained row: A, B, ..., Z, AA, ... from the largest group on."""
        return [] if self.groups is None else [name_group(label) for label in self.groups.labels.tolist()]

    @property
    def reasons(self) -> Sequence[str]:
        """A sentence for each explained row: in what it deviates."""
        return () if self.explanations is None else self.explanations.sentences

    @property
    def change_sentences(self) -> list[str]:
        """A sentence for each explained row: the smallest change after which the judgement would not flag it."""
        return [] if self.changes is None else [format_change(sentence) for sentence in self.changes.sentences]

    def to_table(self) -> dict[str, AnyArray]:
        """Return columns (n,) by name, one entry per row, to be written to a file and joined with the input.

        ``data_row`` counts from 1, as pages and terminals do, and ``rank`` from 1 for the most unusual row. Texts of
        normal rows are empty.
        """
        n_rows = len(self.judgement)
        ranks = np.empty(n_rows, dtype=np.int64)
        ranks[self.judgement.all_ranks] = np.arange(1, n_rows + 1)
        own = {
            "is_anomaly": self.judgement.is_anomaly,
            "p_value": self.judgement.p_values,
            "rank": ranks,
            "anomaly_group": self._spread(self.group_names),
            "first_column": self._spread(self._first_columns()),
            "reason": self._spread(self.reasons),
            "smallest_change": self._spread(self.change_sentences),
        }
        taken = {"data_row", *own}
        others = {f"{name} (input)" if name in taken else name: values for name, values in self.identifiers.items()}
        return {"data_row": np.arange(1, n_rows + 1), **others, **own}

    @property
    def dominant_column(self) -> DominantColumn | None:
        """The column that the reasons of more than half of at least ten anomalies name first, or None."""
        names = self._first_columns()
        if len(names) < _MIN_DOMINATED_ROWS:
            return None
        name = max(sorted(set(names)), key=names.count)
        if names.count(name) <= _DOMINANT_FRACTION * len(names):
            return None
        values = self.judgement.rows[:, self.judgement.names.index(name)]
        n_values = len(np.unique(values))
        return DominantColumn(name, names.count(name), len(names), n_values if n_values <= MAX_LEVELS else None)

    def _first_columns(self) -> list[str]:
        """Return the column that deviates most of each explained row."""
        found = self.explanations
        return [] if found is None else [found.names[j] for j in found.first_columns.tolist()]

    def _spread(self, texts: Sequence[str]) -> AnyArray:
        """Return the texts (m,) of the explained rows at their positions among all rows (n,); others are empty."""
        spread = np.full(len(self.judgement), "", dtype=object)
        spread[self.explained] = list(texts)
        return spread

    def __str__(self) -> str:
        return "\n".join(describe_anomalies(self.detector, self.judgement))


def summarize_anomalies(
    detector: AnomalyDetector,
    X: ArrayLike,
    *,
    p_values: ArrayLike | None = None,
    is_anomaly: ArrayLike | None = None,
    threshold: tuple[str, float] | None = None,
    identifiers: Mapping[str, ArrayLike] | None = None,
) -> AnomalySummary:
    """Judge rows together and explain the anomalies among them.

    Parameters
    ----------
    detector : fitted AnomalyDetector
    X : array-like of shape (n, D)
        Rows in the data's units.
    p_values, is_anomaly, threshold
        See `gaussmix.anomaly.judge_rows`. For the rows that the detector was fitted to, pass
        ``p_values=detector.training_p_values_``.
    identifiers : mapping of str to array-like of shape (n,), optional
        Columns that identify rows, such as customer numbers.

    Returns
    -------
    AnomalySummary

    Raises
    ------
    DataError, ParameterError
        If the rows or another argument are invalid.
    """
    check_detector(detector)
    judgement = judge_rows(detector, X, p_values=p_values, is_anomaly=is_anomaly, threshold=threshold)
    columns = parse_identifiers(identifiers or {}, len(judgement))
    explained = judgement.ranked_anomalies[:MAX_EXPLAINED_ROWS]
    if not len(explained):
        return AnomalySummary(detector, judgement, explained, None, None, None, columns)
    rows, model, names = judgement.rows[explained], detector.model_, judgement.names
    is_normal = make_normal_rule(model, float(detector.offset_), judgement.p_value_limit)
    explanations = explain_by_model(model, rows, is_normal, True, names)
    groups = group_by_model(model, rows, names)
    return AnomalySummary(detector, judgement, explained, explanations, explanations.changes, groups, columns)


def name_group(label: int) -> str:
    """Return the name of an anomaly group: 'A' for 0, 'Z' for 25, 'AA' for 26."""
    letters = ""
    while label >= 0:
        label, letter = divmod(label, 26)
        letters, label = chr(ord("A") + letter) + letters, label - 1
    return letters
