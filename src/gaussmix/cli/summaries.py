"""A mixture and a search in words and aligned numbers, as the commands print them."""

import numpy as np

from gaussmix.cli.console import terminal_width
from gaussmix.cli.text_formatting import (
    choose_significant_digits,
    format_column_name,
    format_count,
    format_number,
    format_percent,
    format_table,
    truncate_text,
)
from gaussmix.model import Mixture
from gaussmix.model.noise import NOISE_LABEL, all_weights
from gaussmix.report.tables import UNCERTAIN_ABOVE, candidate_table
from gaussmix.selection import Candidate, Selection
from gaussmix.selection.criteria import describe_evidence
from gaussmix.types import IntN, N


def format_component_table(mixture: Mixture, labels: IntN | None = None) -> str:
    """Share, number of rows and means of each component, a column per component, and noise after them."""
    shown = [str(component) for component in range(mixture.n_components)]
    numbers = np.arange(mixture.n_components)
    if mixture.noise is not None:
        shown, numbers = [*shown, "noise"], np.append(numbers, NOISE_LABEL)
    rows = [["share", *map(format_percent, all_weights(mixture.weights, mixture.noise))]]
    if labels is not None:
        rows.append(["rows", *(str(int(np.sum(labels == number))) for number in numbers)])
    for name, means, spreads in zip(column_names(mixture), mixture.means.T, mixture.standard_deviations.T, strict=True):
        digits = choose_significant_digits(float(np.abs(means).max()), float(spreads.min()))
        rows.append(
            [
                format_column_name(name),
                *(format_number(mean, digits) for mean in means),
                *("" for _ in shown[len(means) :]),
            ]
        )
    return format_table(["component", *shown], rows)


def format_standard_deviation_table(mixture: Mixture) -> str:
    """Standard deviation of each column within each component."""
    columns = zip(column_names(mixture), mixture.standard_deviations.T, strict=True)
    return format_table(
        ["component", *map(str, range(mixture.n_components))],
        [[format_column_name(name), *map(format_number, column)] for name, column in columns],
    )


def column_names(mixture: Mixture) -> list[str]:
    """Feature names, or 'column 0' and so on where there are none."""
    return list(mixture.feature_names or [f"column {j}" for j in range(mixture.n_features)])


def selection_fields(selection: Selection) -> list[tuple[str, str]]:
    """What was chosen, by how much over the runner-up, and from how many candidates."""
    best, rival, name = selection.best, selection.runner_up, selection.criterion.upper()
    value = best.criteria[selection.criterion]
    said = [
        ("Chosen", f"{_candidate_name(best)}: {best.structure.description}"),
        (name, f"{format_number(value)} (lower is better), {format_count(best.n_parameters, 'parameter')}"),
    ]
    if rival is not None:
        other = rival.criteria[selection.criterion]
        gap = f"{format_number(other - value)} more{_format_evidence(selection.criterion, other - value)}"
        said.append(("Runner-up", f"{_candidate_name(rival)}: {name} {format_number(other)}, {gap}"))
    unsound = sum(not candidate.is_eligible for candidate in selection.candidates)
    aside = f", {unsound} of them set aside as unsound" if unsound else ""
    tried = f"{format_count(len(selection.candidates), 'candidate')} in {selection.seconds:.1f} s{aside}"
    return [*said, ("Compared", tried)]


def format_ranking(selection: Selection, max_candidates: int) -> str:
    """The best candidates, one a line: criterion, distance to the best, what it has cost, and a remark."""
    rule, shown = selection.criterion, candidate_table(selection)[:max_candidates]
    rows = [
        [
            str(row.rank),
            row.structure,
            str(row.n_components),
            "" if row.criterion_value is None else format_number(row.criterion_value, 6),
            "" if row.difference_to_best is None else format_number(row.difference_to_best, 3),
            str(row.n_parameters),
        ]
        for row in shown
    ]
    head, *lines = format_table(
        ["rank", "structure", "components", rule.upper(), "more", "parameters"], rows
    ).splitlines()
    remarks = [truncate_text(f"  {row.remark}", terminal_width() - len(head)) for row in shown]
    said = [f"{line:<{len(head)}}{remark}".rstrip() for line, remark in zip(lines, remarks, strict=True)]
    told = [f"{head}  remark", *said]
    rest = len(selection.candidates) - len(rows)
    return "\n".join([*told, f"... and {rest} more; --top shows more of them"] if rest else told)


def _candidate_name(candidate: Candidate) -> str:
    return f"{format_count(candidate.n_components, 'component')} of structure {candidate.structure.display_name}"


def _format_evidence(criterion: str, criterion_difference: float) -> str:
    if criterion != "bic":
        return ""
    word = describe_evidence(criterion_difference)
    return f" ({word} evidence)" if criterion_difference >= 2 else f" ({word})"


def format_certainty(uncertainty: N, n_components_with_noise: int) -> str:
    """How many rows have no clear component, of so many, noise among them."""
    if n_components_with_noise == 1:
        return "There is one component, so every row belongs to it."
    unsure = int((uncertainty > UNCERTAIN_ABOVE).sum())
    if not unsure:
        return f"Every row belongs to its component with a probability of at least {1 - UNCERTAIN_ABOVE:g}."
    have = "has" if unsure == 1 else "have"
    rows = format_count(len(uncertainty), "row")
    return f"{unsure} of {rows} {have} no component with a probability of at least {1 - UNCERTAIN_ABOVE:g}."


def selection_warnings(selection: Selection) -> list[str]:
    """What the user must know before trusting the choice; nothing for a sound one."""
    fit = selection.best.fit
    if fit is None:
        return []
    said = list(fit.notes)
    if fit.is_degenerate:
        said.append(
            "no candidate is sound: each has a component with hardly more rows than columns, or on the floor of its "
            "variance; try fewer columns, fewer components or more rows, and do not lean on these groups."
        )
    if not fit.converged:
        said.append(str(fit.outcome))
    return said
