"""Pictures of a report on anomalies: rows in the columns of each group of anomalies, and sorted p-values."""

from functools import partial

import numpy as np

from gaussmix import plots
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.model import Mixture
from gaussmix.plots.anomaly_plot import select_deviating_columns
from gaussmix.plots.picture_export import draw_axes_picture
from gaussmix.plots.plot_data import column_name
from gaussmix.report.anomaly_summary import AnomalySummary, name_group
from gaussmix.report.page_template import CaptionedPicture

_MAX_SCATTER_PICTURES = 4
_MAX_NUMBERED = 12  # anomalies of a picture, the most unusual ones of its groups
_SIZE_INCHES = (5.4, 4.2)


def draw_anomaly_pictures(summary: AnomalySummary) -> list[CaptionedPicture]:
    """Return the pictures of rows, one for each pair of columns in which groups of anomalies deviate, and of p-values.

    There are at most four pictures of rows.
    """
    pictures = [_scatter_picture(summary, columns, groups) for columns, groups in _choose_panels(summary)]
    return [*pictures, _p_value_picture(summary)]


def _choose_panels(summary: AnomalySummary) -> list[tuple[tuple[int, ...], list[int]]]:
    """Return up to four pairs of columns, and the anomaly groups, from 0, that deviate in each.

    They are those of the group of the most unusual row, and of the largest other groups.
    """
    labels: list[int] = [] if summary.groups is None else [int(summary.groups.labels[0])]
    labels += [label for label in range(0 if summary.groups is None else len(summary.groups)) if label not in labels]
    panels: dict[tuple[int, ...], list[int]] = {}
    for label in labels:
        columns = _columns_of_group(summary, label)
        if columns is not None and (columns in panels or len(panels) < _MAX_SCATTER_PICTURES):
            panels.setdefault(columns, []).append(label)
    if not panels:
        panels[tuple(select_deviating_columns(summary.detector, summary.judgement))] = []
    return sorted(((columns, sorted(shown)) for columns, shown in panels.items()), key=lambda panel: panel[1])


def _columns_of_group(summary: AnomalySummary, label: int) -> tuple[int, ...] | None:
    """Return the first two columns of an anomaly group; beside a single one, that which is most correlated with it.

    A group that breaks a relation has no columns, so that None is returned.
    """
    assert summary.groups is not None
    mixture = summary.detector.model_.groups
    names = list(summary.judgement.names)
    group = summary.groups.groups[label]
    columns = [names.index(name) for name in group.columns[:2] if name in names]
    if not columns:
        return None
    if len(columns) == 1 and mixture.n_independent_features > 1:
        nearest = int(summary.groups.explanations.groups[group.typical_row])
        columns.append(_most_correlated_column(mixture, nearest, columns[0]))
    return tuple(sorted(columns))


def _most_correlated_column(mixture: Mixture, component: int, column: int) -> int:
    """Return the number of the column that is most correlated with another one in a component."""
    independent = np.arange(mixture.n_features)[mixture.independent_columns]
    covariance = mixture.independent_part.covariance.matrices()[component]  # in working coordinates: none overflows
    deviations = np.sqrt(np.diagonal(covariance))
    position = int(np.flatnonzero(independent == column)[0])
    sizes = np.abs(covariance[position] / (deviations * deviations[position]))
    sizes[position] = -1.0
    return int(independent[np.argmax(np.round(sizes, 9))])


def _scatter_picture(summary: AnomalySummary, columns: tuple[int, ...], labels: list[int]) -> CaptionedPicture:
    """Return the picture of rows in one or two columns, which shows some groups of anomalies."""
    judgement, mixture = summary.judgement, summary.detector.model_.groups
    groups = [name_group(label) for label in labels]
    numbered = None
    if summary.groups is not None and labels:
        numbered = np.flatnonzero(np.isin(summary.groups.labels, labels))[:_MAX_NUMBERED]
    draw = partial(
        plots.anomalies,
        summary.detector,
        judgement.rows,
        list(columns),
        p_values=judgement.p_values,
        is_anomaly=judgement.is_anomaly,
        threshold=judgement.threshold,
        numbered=numbered,
        legend=False,
    )
    names = join_with_and([column_name(mixture, j) for j in columns], max_names=None)
    anomalies = f"{judgement.n_anomalies} {'anomaly' if judgement.n_anomalies == 1 else 'anomalies'}"
    alt_text = f"{names}: normal rows with the ellipses of their groups, and {anomalies} as crosses."
    caption = f"{names}, in which anomaly group {join_with_and(groups)} stands out" if groups else names
    if len(groups) > 1:
        caption = f"{names}, in which anomaly groups {join_with_and(groups)} stand out"
    return CaptionedPicture(draw_axes_picture(lambda ax: draw(ax=ax), _SIZE_INCHES, alt_text), caption)


def _p_value_picture(summary: AnomalySummary) -> CaptionedPicture:
    """Return the picture of sorted p-values."""
    judgement = summary.judgement
    draw = partial(
        plots.anomaly_p_values,
        summary.detector,
        judgement.rows,
        p_values=judgement.p_values,
        is_anomaly=judgement.is_anomaly,
        threshold=judgement.threshold,
        legend=False,
    )
    count = format_count(len(judgement), "row")
    alt_text = f"Sorted p-values of {count} on logarithmic axes, with the limit and what normal rows would give."
    caption = "Sorted p-values: solid line = limit, dashed line = expected if all rows are normal"
    return CaptionedPicture(draw_axes_picture(lambda ax: draw(ax=ax), _SIZE_INCHES, alt_text), caption)
