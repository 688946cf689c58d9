"""Lines of the page's table of components, with shades that compare means with the overall mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix.model import Mixture
from gaussmix.plots.plot_data import column_name
from gaussmix.report import formatting
from gaussmix.report.component_contrasts import compute_contrasts, shade_class
from gaussmix.report.tables import ComponentRow

_MIN_SCIENTIFIC_WEIGHT = 1e10  # larger sums of weights are written as powers of ten


@dataclass(frozen=True)
class ComponentLine:
    """A line of the table of components: its name, one text per component, and a CSS class for the shade of each.

    The noise, if there is one, is the last component; it has no text in the lines of columns.
    """

    name: str
    component_texts: list[str]
    shades: list[str]


def component_lines(
    mixture: Mixture, component_rows: Sequence[ComponentRow], noise_rows: Sequence[ComponentRow] = ()
) -> list[ComponentLine]:
    """Return the lines of the component table: weight, rows, uncertainty, then mean and deviation of each column."""
    empty_cells = [""] * len(noise_rows)
    column_lines = [
        ComponentLine(line.name, line.component_texts + empty_cells, line.shades + empty_cells)
        for line in _column_lines(mixture, component_rows)
    ]
    return [*_size_lines([*component_rows, *noise_rows]), *column_lines]


def _size_lines(component_rows: Sequence[ComponentRow]) -> list[ComponentLine]:
    """Return the lines on weights, rows and uncertainty, without shades."""
    assigned = [part.assigned_weight or 0.0 for part in component_rows]
    n_decimals = 0 if all(weight == round(weight) for weight in assigned) else 1
    expected = [part.responsibility_sum or 0.0 for part in component_rows]
    texts_by_name = {
        "weight": [formatting.format_percent(part.weight) for part in component_rows],
        "rows": [_format_total_weight(weight, n_decimals) for weight in assigned],
        "expected rows": [_format_total_weight(weight, 1) for weight in expected],
        "mean uncertainty": [formatting.format_percent(part.mean_uncertainty) for part in component_rows],
    }
    return [ComponentLine(name, texts, [""] * len(texts)) for name, texts in texts_by_name.items()]


def _column_lines(mixture: Mixture, component_rows: Sequence[ComponentRow]) -> list[ComponentLine]:
    """Return a line with mean and deviation for each column, shaded by the distance from the overall mean."""
    distances = compute_contrasts(mixture).distances
    lines = []
    for j in range(mixture.n_features):
        texts, exponent = formatting.format_means_with_deviations(
            [part.mean[j] for part in component_rows], [part.standard_deviation[j] for part in component_rows]
        )
        unit = f" (in units of 1e{exponent})" if exponent else ""
        shades = [shade_class(distance) for distance in distances[:, j].tolist()]
        lines.append(ComponentLine(column_name(mixture, j) + unit, texts, shades))
    return lines


def _format_total_weight(weight: float, n_decimals: int) -> str:
    """Return a sum of row weights as text with ``n_decimals``; one of at least 1e10 as a power of ten."""
    is_huge = weight >= _MIN_SCIENTIFIC_WEIGHT
    return formatting.format_number(weight) if is_huge else formatting.format_decimals(weight, n_decimals)
