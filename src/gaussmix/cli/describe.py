"""A mixture and a search in words and aligned numbers, as the commands print them."""

import numpy as np

from gaussmix.cli.console import width
from gaussmix.cli.text import clipped, digits_for, label, number, percent, plural, table
from gaussmix.model import Mixture
from gaussmix.model.noise import LABEL, shares
from gaussmix.report.tables import UNCERTAIN, candidates
from gaussmix.selection import Candidate, Selection
from gaussmix.selection.criteria import evidence
from gaussmix.types import IntN, N


def components(mixture: Mixture, labels: IntN | None = None) -> str:
    """Share, number of rows and means of each component, a column per component, and noise after them."""
    shown = [str(component) for component in range(mixture.n_components)]
    numbers = np.arange(mixture.n_components)
    if mixture.noise is not None:
        shown, numbers = [*shown, "noise"], np.append(numbers, LABEL)
    rows = [["share", *map(percent, shares(mixture.weights, mixture.noise))]]
    if labels is not None:
        rows.append(["rows", *(str(int(np.sum(labels == number))) for number in numbers)])
    for name, means, spreads in zip(names(mixture), mixture.means.T, mixture.standard_deviations.T, strict=True):
        digits = digits_for(float(np.abs(means).max()), float(spreads.min()))
        rows.append([label(name), *(number(mean, digits) for mean in means), *("" for _ in shown[len(means) :])])
    return table(["component", *shown], rows)


def standard_deviations(mixture: Mixture) -> str:
    """Standard deviation of each column within each component."""
    columns = zip(names(mixture), mixture.standard_deviations.T, strict=True)
    return table(
        ["component", *map(str, range(mixture.n_components))],
        [[label(name), *map(number, column)] for name, column in columns],
    )


def names(mixture: Mixture) -> list[str]:
    """Feature names, or 'column 0' and so on where there are none."""
    return list(mixture.feature_names or [f"column {j}" for j in range(mixture.n_features)])


def choice(selection: Selection) -> list[tuple[str, str]]:
    """What was chosen, by how much over the runner-up, and from how many candidates."""
    best, rival, name = selection.best, selection.runner_up, selection.criterion.upper()
    value = best.criteria[selection.criterion]
    said = [
        ("Chosen", f"{_called(best)}: {best.structure.description}"),
        (name, f"{number(value)} (lower is better), {plural(best.n_parameters, 'parameter')}"),
    ]
    if rival is not None:
        other = rival.criteria[selection.criterion]
        gap = f"{number(other - value)} more{_evidence(selection.criterion, other - value)}"
        said.append(("Runner-up", f"{_called(rival)}: {name} {number(other)}, {gap}"))
    unsound = sum(not candidate.is_eligible for candidate in selection.candidates)
    aside = f", {unsound} of them set aside as unsound" if unsound else ""
    tried = f"{plural(len(selection.candidates), 'candidate')} in {selection.seconds:.1f} s{aside}"
    return [*said, ("Compared", tried)]


def ranking(selection: Selection, most: int) -> str:
    """The best candidates, one a line: criterion, distance to the best, what it has cost, and a remark."""
    rule, shown = selection.criterion, candidates(selection)[:most]
    rows = [
        [
            str(row.rank),
            row.structure,
            str(row.n_components),
            "" if row.criterion is None else number(row.criterion, 6),
            "" if row.difference is None else number(row.difference, 3),
            str(row.n_parameters),
        ]
        for row in shown
    ]
    head, *lines = table(["rank", "structure", "components", rule.upper(), "more", "parameters"], rows).splitlines()
    remarks = [clipped(f"  {row.remark}", width() - len(head)) for row in shown]
    said = [f"{line:<{len(head)}}{remark}".rstrip() for line, remark in zip(lines, remarks, strict=True)]
    told = [f"{head}  remark", *said]
    rest = len(selection.candidates) - len(rows)
    return "\n".join([*told, f"... and {rest} more; --top shows more of them"] if rest else told)


def _called(candidate: Candidate) -> str:
    return f"{plural(candidate.n_components, 'component')} of structure {candidate.structure.label}"


def _evidence(criterion: str, gap: float) -> str:
    if criterion != "bic":
        return ""
    word = evidence(gap)
    return f" ({word} evidence)" if gap >= 2 else f" ({word})"


def certainty(uncertainty: N, n_choices: int) -> str:
    """How many rows have no clear component, of so many, noise among them."""
    if n_choices == 1:
        return "There is one component, so every row belongs to it."
    unsure = int((uncertainty > UNCERTAIN).sum())
    if not unsure:
        return f"Every row belongs to its component with a probability of at least {1 - UNCERTAIN:g}."
    have = "has" if unsure == 1 else "have"
    rows = plural(len(uncertainty), "row")
    return f"{unsure} of {rows} {have} no component with a probability of at least {1 - UNCERTAIN:g}."


def cautions(selection: Selection) -> list[str]:
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
