"""Plain-text summaries of a mixture and of a model search."""

import textwrap

import numpy as np

from gaussmix.cli.console import terminal_width
from gaussmix.cli.text_formatting import (
    choose_significant_digits,
    format_column_name,
    format_number,
    format_percent,
    format_row_count,
    format_table,
    replace_noise_by_zero,
    truncate_text,
)
from gaussmix.errors.text import format_count, join_with_commas
from gaussmix.model import Mixture
from gaussmix.model.noise import NOISE_LABEL, append_noise_weight
from gaussmix.report.candidates import candidate_table
from gaussmix.report.component_contrasts import describe_components
from gaussmix.report.summary_text import describe_transforms
from gaussmix.report.tables import UNCERTAIN_ABOVE
from gaussmix.selection import Candidate, Selection
from gaussmix.selection.criteria import describe_bic_evidence
from gaussmix.types import IntN, N

# What numbers of a page have and those of a terminal have not: thin spaces and minus signs.
_PLAIN_CHARACTERS = str.maketrans({"\u202f": None, "\N{MINUS SIGN}": "-"})


def format_component_table(mixture: Mixture, labels: IntN | None = None, sample_weight: N | None = None) -> str:
    """Return a text table: a column per component, noise last; lines for weight, row count and each feature's mean.

    The row count of a component is the weight of the rows for which it is the most probable one.
    """
    headers = [str(component) for component in range(mixture.n_components)]
    numbers = np.arange(mixture.n_components)
    if mixture.noise is not None:
        headers, numbers = [*headers, "noise"], np.append(numbers, NOISE_LABEL)
    rows = [["weight", *map(format_percent, append_noise_weight(mixture.weights, mixture.noise))]]
    if labels is not None:
        weights = np.ones(len(labels)) if sample_weight is None else sample_weight
        rows.append(["rows", *(format_row_count(float(weights[labels == number].sum())) for number in numbers)])
    for name, means, deviations in zip(column_names(mixture), mixture.medians.T, mixture.half_widths.T, strict=True):
        digits = choose_significant_digits(float(np.abs(means).max()), float(deviations.min()))
        rows.append(
            [
                format_column_name(name),
                *(
                    format_number(mean, digits)
                    for mean in map(replace_noise_by_zero, means.tolist(), deviations.tolist())
                ),
                *("" for _ in headers[len(means) :]),
            ]
        )
    return format_table(["component", *headers], rows)


def format_standard_deviation_table(mixture: Mixture) -> str:
    """Return a text table of standard deviations: a line per data column, a column per component."""
    columns = zip(column_names(mixture), mixture.half_widths.T, strict=True)
    return format_table(
        ["component", *map(str, range(mixture.n_components))],
        [[format_column_name(name), *map(format_number, column)] for name, column in columns],
    )


def list_components(mixture: Mixture) -> str:
    """Return a line for each of several components, wrapped: its weight and the columns that set it apart; or ''."""
    lines = [sentence.translate(_PLAIN_CHARACTERS) for sentence in describe_components(mixture)]
    return "\n".join(textwrap.fill(line, terminal_width(), subsequent_indent="  ") for line in lines)


def column_names(mixture: Mixture) -> list[str]:
    """Return the names of the mixture's features, or 'column 0', 'column 1', ... if it has none."""
    return list(mixture.feature_names or [f"column {j}" for j in range(mixture.n_features)])


def selection_as_name_text_pairs(selection: Selection) -> list[tuple[str, str]]:
    """Return pairs of name and text: the best candidate, its criterion, the runner-up, and number of candidates."""
    best, runner_up, name = selection.best, selection.runner_up, selection.criterion.upper()
    value = best.criteria[selection.criterion]
    fields = [
        ("Chosen", f"{_describe_candidate(best)}: {best.structure.description}"),
        (name, f"{format_number(value)} (lower is better), {format_count(best.n_parameters, 'parameter')}"),
    ]
    if runner_up is not None:
        other = runner_up.criteria[selection.criterion]
        evidence = _format_bic_evidence_or_empty(selection.criterion, other - value)
        difference = f"{format_number(other - value)} more{evidence}"
        fields.append(("Runner-up", f"{_describe_candidate(runner_up)}: {name} {format_number(other)}, {difference}"))
    n_excluded = sum(not candidate.is_eligible for candidate in selection.candidates)
    excluded = f", {n_excluded} of them excluded as degenerate or failed" if n_excluded else ""
    candidates = f"{format_count(len(selection.candidates), 'candidate')} in {selection.seconds:.1f} s{excluded}"
    return [*fields, ("Compared", candidates), *_doubtful_columns_as_name_text_pairs(selection)]


def _doubtful_columns_as_name_text_pairs(selection: Selection) -> list[tuple[str, str]]:
    """Return a pair with the columns that no Gaussian describes, by kind; none if there are no such columns."""
    names_by_kind: dict[str, list[str]] = {}
    for diagnosis in selection.column_diagnoses:
        names_by_kind.setdefault(diagnosis.kind, []).append(format_column_name(diagnosis.name))
    texts = [f"{kind}: {join_with_commas(names)}" for kind, names in names_by_kind.items()]
    return [("Not Gaussian", "; ".join(texts))] if texts else []


def format_ranking(selection: Selection, max_candidates: int) -> str:
    """Return a text table with a line per candidate, best first: criterion, difference to the best, size, remark."""
    candidates = candidate_table(selection)[:max_candidates]
    rows = [
        [
            str(row.rank),
            row.structure,
            str(row.n_components),
            "" if row.criterion_value is None else format_number(row.criterion_value, 6),
            "" if row.difference_to_best is None else format_number(row.difference_to_best, 3),
            str(row.n_parameters),
        ]
        for row in candidates
    ]
    head, *lines = format_table(
        ["rank", "structure", "components", selection.criterion.upper(), "more", "parameters"], rows
    ).splitlines()
    remarks = [truncate_text(f"  {row.remark}", terminal_width() - len(head)) for row in candidates]
    body = [f"{line:<{len(head)}}{remark}".rstrip() for line, remark in zip(lines, remarks, strict=True)]
    n_more = len(selection.candidates) - len(rows)
    last_line = [f"... and {n_more} more; --top shows more of them"] if n_more else []
    return "\n".join([f"{head}  remark", *body, *last_line])


def _describe_candidate(candidate: Candidate) -> str:
    """Return number of components and structure: '2 components of structure VVV'."""
    structure_name = candidate.structure.name_with_alias_or_n_factors
    return f"{format_count(candidate.n_components, 'component')} of structure {structure_name}"


def _format_bic_evidence_or_empty(criterion_name: str, criterion_difference: float) -> str:
    """Return the strength of the evidence in parentheses, with a leading space, for 'bic'; else ''."""
    if criterion_name != "bic":
        return ""
    strength = describe_bic_evidence(criterion_difference)
    return f" ({strength} evidence)" if criterion_difference >= 2 else f" ({strength})"


def describe_row_certainty(uncertainty: N, n_components_with_noise: int) -> str:
    """Return a sentence that says how many rows have an uncertain component, from the uncertainty (n,) of each."""
    if n_components_with_noise == 1:
        return "All rows belong to the one component."
    n_uncertain = int((uncertainty > UNCERTAIN_ABOVE).sum())
    if not n_uncertain:
        return f"Every row belongs to its component with a probability of at least {1 - UNCERTAIN_ABOVE:g}."
    verb = "has" if n_uncertain == 1 else "have"
    rows = format_count(len(uncertainty), "row")
    return f"{n_uncertain} of {rows} {verb} no component with a probability of at least {1 - UNCERTAIN_ABOVE:g}."


def best_candidate_warnings(selection: Selection) -> list[str]:
    """Return texts about columns and the best candidate: notes, and warnings if it is degenerate or not converged."""
    fit = selection.best.fit
    if fit is None:
        return []
    messages = [*describe_transforms(fit.mixture), *selection.notes, *selection.column_notes, *fit.notes]
    if fit.is_degenerate:
        messages.append(
            "every candidate is degenerate: a component has too few rows for its covariance, or a variance on the "
            "floor. Do not rely on these groups; try fewer columns, fewer components or more rows."
        )
    if not fit.has_converged:
        messages.append(str(fit.outcome))
    return messages
