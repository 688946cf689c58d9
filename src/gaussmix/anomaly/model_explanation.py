"""Explanations of rows by a fitted model: reasons, and the smallest change after which a limit is kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.anomaly.anomaly_model import AnomalyModel
from gaussmix.anomaly.explanation import Explanations, explain_rows
from gaussmix.anomaly.smallest_change import IsNormal, find_smallest_changes
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.types import ND, ArrayLike

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

    Without ``is_anomaly``, the rule says which rows are anomalies.
    """
    are_normal = is_normal(rows)
    explanations = explain_rows(model.groups, rows, names, is_anomaly=~are_normal if is_anomaly is None else is_anomaly)
    return replace(
        explanations, changes=find_smallest_changes(model.groups, rows, is_normal, names, are_normal=are_normal)
    )
