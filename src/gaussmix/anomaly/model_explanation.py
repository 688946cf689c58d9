"""Explanations of rows by a fitted model: reasons, and the smallest change after which a limit is kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.anomaly.anomaly_groups import AnomalyGroups, group_anomalies
from gaussmix.anomaly.anomaly_model import AnomalyModel
from gaussmix.anomaly.change_search import IsNormal
from gaussmix.anomaly.explanation import Explanations, explain_rows
from gaussmix.anomaly.explanation_sentences import SPARSE_REGION
from gaussmix.anomaly.number_text import format_own_value
from gaussmix.anomaly.smallest_change import SmallestChanges, find_smallest_changes
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.errors.text import join_with_and
from gaussmix.types import ND, ArrayLike, BoolN, IntN

_MIN_CORRECTION = 0.5  # of a log tail by feedback, in nats: a smaller one decides on few rows
_MAX_NAMED_COLUMNS = 3  # in the reason of a row that matches no group
_OTHER_COLUMNS = "The columns that the reason names are not enough."
_VERDICTS = {True: "an anomaly", False: "normal"}
_LARGEST_LIMIT = float(np.nextafter(1.0, 2.0))  # 1 is allowed


def make_normal_rule(model: AnomalyModel, offset: float, p_value_limit: float | None) -> IsNormal:
    """Return the rule by which rows are normal: a p-value above the limit, or without one a log tail of the offset.

    Raises
    ------
    ParameterError
        If the limit is not above 0 and at most 1.
    """
    if p_value_limit is None:
        return lambda rows: np.asarray(model.log_tails(rows) >= offset)
    if not is_number_in(p_value_limit, 0.0, _LARGEST_LIMIT):
        raise ParameterError.invalid_value("p_value_limit", p_value_limit, "None, or a number above 0 and at most 1")
    limit = float(p_value_limit)
    return lambda rows: np.asarray(model.p_values_and_log_tails(rows)[0] > limit)


def explain_by_model(
    model: AnomalyModel,
    rows: ND,
    is_normal: IsNormal,
    is_anomaly: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> Explanations:
    """Return why rows (n, D) are anomalies or not, with the smallest change after which a rule calls each normal.

    Without ``is_anomaly``, the rule says which rows are anomalies. Reasons are those of the score without feedback;
    verdicts of people are said first.
    """
    are_normal = is_normal(rows)
    flags = ~are_normal if is_anomaly is None else is_anomaly
    log_tail, grids = replace(model, feedback=None).log_tails, model.grids
    explanations = explain_rows(model.groups, rows, names, flags, log_tail=log_tail, grids=grids)
    named = _mark_named_columns(explanations)
    changes = find_smallest_changes(
        model.groups,
        rows,
        is_normal,
        names,
        are_normal=are_normal,
        grids=grids,
        preferred_columns=named,
        preferred_groups=explanations.reason_groups,
    )
    changes = replace(changes, sentences=_compare_with_reasons(changes, named, model.groups.independent_columns))
    verdicts = _describe_verdicts(model, rows, explanations.is_anomaly)
    sentences = [
        _join(verdict, _name_changed_columns(explanations, changes, i), bool(explanations.is_anomaly[i]))
        for i, verdict in enumerate(verdicts)
    ]
    return replace(explanations, changes=changes, sentences=tuple(sentences))


def group_by_model(model: AnomalyModel, rows: ND, names: Sequence[str] | None = None) -> AnomalyGroups:
    """Return anomalies (n, D) grouped by how they deviate, with the reasons of `explain_by_model`."""
    return group_anomalies(
        model.groups, rows, names, log_tail=replace(model, feedback=None).log_tails, grids=model.grids
    )


def _mark_named_columns(explanations: Explanations) -> BoolN:
    """Return which columns the reason of each row names, (n, d)."""
    marks = np.zeros(explanations.values.shape, dtype=bool)
    for positions in (explanations.deviating_columns, explanations.pair_columns):
        rows, places = np.nonzero(positions >= 0)
        marks[rows, positions[rows, places]] = True
    most = np.argsort(-np.abs(explanations.marginal_z), axis=1, kind="stable")[:, :_MAX_NAMED_COLUMNS]
    without_group = explanations.matches_no_group
    marks[without_group] = False
    marks[np.flatnonzero(without_group)[:, None], most[without_group]] = True
    return marks


def _compare_with_reasons(changes: SmallestChanges, named: BoolN, independent: IntN | slice) -> tuple[str, ...]:
    """Return the sentences of the changes; where none of the ``named`` columns (n, d) changes, with a note on that."""
    is_changed = (changes.changed_values != changes.values)[:, independent]
    is_elsewhere = is_changed.any(axis=1) & named.any(axis=1) & ~(is_changed & named).any(axis=1)
    return tuple(
        f"{sentence} {_OTHER_COLUMNS}" if elsewhere else sentence
        for sentence, elsewhere in zip(changes.sentences, is_elsewhere.tolist(), strict=True)
    )


def _name_changed_columns(explanations: Explanations, changes: SmallestChanges, row: int) -> str:
    """Return the sentence of a row; where no column accounts for its score, with those whose change is enough."""
    sentence = explanations.sentences[row]
    changed = np.flatnonzero(changes.values[row] != changes.changed_values[row])
    if sentence != SPARSE_REGION or not len(changed):
        return sentence
    named = [f"{changes.names[j]} ({format_own_value(float(changes.values[row, j]), 0.0)})" for j in changed]
    takes = "takes" if len(named) == 1 else "take"
    return f"The row lies where few normal rows are; {join_with_and(named)} {takes} it beyond the limit."


def _join(verdict: str, reason: str, is_anomaly: bool) -> str:
    """Return a verdict and a reason; a verdict of normal replaces the reason why a row is normal."""
    if not verdict:
        return reason
    return f"{verdict} {reason}" if is_anomaly else verdict


def _describe_verdicts(model: AnomalyModel, rows: ND, is_anomaly: BoolN) -> list[str]:
    """Return a sentence for each row (n, D) that a person has judged or that is like a judged one; '' for others.

    Rows like a judged one are named where their correction points to what is said about them in ``is_anomaly`` (n,).
    """
    feedback = model.feedback
    if feedback is None:
        return [""] * len(rows)
    known = {row.tobytes(): bool(verdict) for row, verdict in zip(feedback.rows, feedback.is_anomaly, strict=True)}
    corrections = feedback.corrections(model.columns.standardize(rows), model.columns.find_broken_relations(rows))
    is_like = np.where(is_anomaly, corrections < -_MIN_CORRECTION, corrections > _MIN_CORRECTION)
    sentences = []
    for row, flag, like in zip(rows, is_anomaly.tolist(), is_like.tolist(), strict=True):
        verdict = known.get(row.tobytes())
        if verdict is not None:
            sentences.append(f"A person has judged this row to be {_VERDICTS[verdict]}.")
        else:
            sentences.append(f"The row is like one that a person has judged to be {_VERDICTS[flag]}." if like else "")
    return sentences
