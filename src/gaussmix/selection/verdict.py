"""When to prefer which, in words: a mixture, k-means, nearest neighbours, and how to climb; with the data's figures."""

from collections.abc import Sequence

import numpy as np

from gaussmix.errors.words import counted, joined
from gaussmix.selection import agreement
from gaussmix.selection.assignment import HARD, KMEANS, NEIGHBOURS, SOFT, Assignment, Grouping
from gaussmix.selection.candidates import Selection
from gaussmix.selection.measure import Shapes
from gaussmix.selection.normality import Normality
from gaussmix.selection.optimising import Optimised
from gaussmix.solvers.table import NONE
from gaussmix.types import N

_ALIKE = 0.95  # an adjusted Rand index from which two partitions are called nearly the same
_ROUND, _EQUAL, _EVEN = 1.5, 1.5, 2.0  # of elongation, sizes and shares: up to here groups are round and equal
_TESTS = "Mardia, Henze-Zirkler, level 5% for all together"
_CLEAR, _TELLING = 2.0, 1e-3  # standard errors, and nats or a share of the rows, from which one way is called better
_STRONG = 0.25  # of the rows between groups: there may be fewer groups, or none
_OTHER_OPTIMUM = 1e-4  # nats a row: what is further apart belongs to another optimum


def in_words(
    selection: Selection,
    assignment: Assignment,
    optimisers: Sequence[Optimised],
    normality: Sequence[Normality],
    shapes: Shapes,
) -> str:
    """One paragraph on when to prefer which way to assign and to optimise."""
    sentences = [_groups(selection, assignment)]
    if assignment.mixture.n_components > 1:
        sentences += [_circles(assignment, shapes), *_sureness(assignment)]
    sentences += [*_labels(assignment), *_gaussian(normality)]
    sentences += _climb(optimisers, selection, float(assignment.weights.sum()))
    return " ".join(sentences)


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent: '4.4%'."""
    value = 100.0 * part / whole
    return f"{value:.0f}%" if value >= 9.95 or value == 0.0 else f"{value:.1f}%" if value >= 0.05 else "<0.1%"


def _rows(assignment: Assignment, part: float) -> str:
    """'12 of 272 rows (4.4%)'; of weights the share alone."""
    whole = float(assignment.weights.sum())
    if not assignment.counts:
        return f"{share(part, whole)} of the weight"
    return f"{part:.0f} of {counted(len(assignment.weights), 'row')} ({share(part, whole)})"


def _groups(selection: Selection, assignment: Assignment) -> str:
    mixture = assignment.mixture
    groups = "one Gaussian group" if mixture.n_components == 1 else f"{mixture.n_components} Gaussian groups"
    best = "" if len(selection.candidates) == 1 else f", the best of {len(selection.candidates)} by "
    best += "" if len(selection.candidates) == 1 else selection.criterion.upper()
    verb = "is" if len(assignment.rows) == 1 else "are"
    said = f"The {counted(len(assignment.rows), 'row')} {verb} described by {groups} of structure "
    said += f"{mixture.structure.label}{best}."
    if not selection.best.is_eligible:
        said += " This fit is degenerate, with too few rows in a group or a variance on its floor: do not lean on it."
    return said if mixture.n_components > 1 else f"{said} There is nothing to assign: every row belongs to it."


def _circles(assignment: Assignment, shapes: Shapes) -> str:
    """k-means against the mixture: what speaks for either on these data."""
    means = assignment[KMEANS]
    agreed = f"adjusted Rand index {means.adjusted_rand:.2f}"
    units, shape = assignment.units, _shape(shapes)
    if means.adjusted_rand >= _ALIKE:
        found = f"k-means (in {units}) finds nearly the same groups ({agreed}): it is simpler, and enough where only "
        found += "groups count"
        return f"{found}, but gives no probabilities." if not shape else f"{found}, although {joined(shape)}."
    differ = "k-means, which takes groups for round and equal, "
    differ += f"puts {_rows(assignment, means.n_differing)} elsewhere ({agreed})"
    if shape:
        unlike = f"{differ}: in {units} groups here are not circular and equal, as {joined(shape)}"
        return f"{unlike}, so prefer the mixture." if means.losses is None else f"{unlike}."
    return f"{differ}, although in {units} groups are round and about equal: they overlap, and either cut is a choice."


def _shape(shapes: Shapes) -> list[str]:
    """What is not circular or equal about the groups."""
    said = []
    if shapes.elongation > _ROUND:
        said.append(f"one is {_times(shapes.elongation)} longer than wide")
    if shapes.sizes > _EQUAL:
        said.append(f"the widest is {_times(shapes.sizes)} as wide as the narrowest")
    if shapes.shares > _EVEN:
        said.append(f"the largest holds {_times(shapes.shares)} the rows of the smallest")
    return said


def _times(value: float) -> str:
    """'2.7 times', '28 times', 'over 100 times'."""
    return "over 100 times" if value > 100.0 else f"{value:.2g} times"


def _sureness(assignment: Assignment) -> list[str]:
    """What probabilities tell beyond groups."""
    expected, whole = assignment.expected_errors, float(assignment.weights.sum())
    unsure, is_one = _rows(assignment, assignment.n_uncertain), assignment.n_uncertain == 1.0 or not assignment.counts
    wrong = f"{expected:.1f}" if expected >= 0.05 else "less than 0.1"
    summed, many = f"summed over the rows, is {wrong} ({share(expected, whole)})", "how many"
    if not assignment.counts:
        summed, many = f"on average over the weight, is {share(expected, whole)}", "the share that"
    said = [
        f"Soft assignment tells how sure each row is: {unsure} {'has' if is_one else 'have'} no group with a "
        f"probability of 0.8, and one minus the largest probability, {summed}, which is {many} hard assignment is "
        "expected to put into a wrong group."
    ]
    if assignment.n_uncertain > _STRONG * whole:
        said.append(
            "Where it matters how sure a row is, take probabilities, that is, the mixture; so much overlap may also "
            "mean fewer groups that are not Gaussian, which gaussmix.combine puts together, or none."
        )
    elif assignment.n_uncertain > 0.01 * whole:
        said.append("Where it matters how sure a row is, take probabilities, that is, the mixture.")
    else:
        said.append("Groups are well apart: few rows are in doubt.")
    return said


def _labels(assignment: Assignment) -> list[str]:
    """Which way foretells known groups best, and whether by more than chance."""
    if NEIGHBOURS not in assignment:
        return ["k-nearest neighbours foretell groups that are known of some rows; here no labels were given."]
    near, hard, soft, means = (assignment[name] for name in (NEIGHBOURS, HARD, SOFT, KMEANS))
    right = {name: share(assignment[name].accuracy or 0.0, 1.0) for name in (NEIGHBOURS, SOFT, KMEANS)}
    said = [
        f"Of rows whose label is put aside, k-nearest neighbours find the right one for {right[NEIGHBOURS]}, the "
        f"mixture's groups, which labels of other rows only give names, for {right[SOFT]}, and those of k-means for "
        f"{right[KMEANS]}."
    ]
    if max(one.accuracy or 0.0 for one in (near, soft, means)) <= _most_frequent(assignment):
        return [*said, "These columns tell little of the labels: more rows have the most frequent one."]
    weights = _known_weights(assignment)
    if assignment.mixture.n_components > 1:
        said.append(f"Soft assignment foretells labels {_than('hard', soft, hard, weights)[0]}.")
    than, clear = _than("k-means", soft, means, weights)
    advice = {1: ", so for probabilities prefer the mixture", 0: "", -1: ", so prefer k-means"}[clear]
    said.append(f"The mixture foretells them {than}{advice}.")
    if all(_compared(near.right, one.right, weights)[0] > 0 for one in (soft, means)):
        said.append("Where labels exist and only they count, prefer the neighbours.")
    elif _compared(soft.losses, near.losses, weights)[0] > 0:
        said.append(
            "The neighbours are surer than they are right, so that the mixture's probabilities are the better ones "
            f"({_losses(soft, near)})."
        )
    else:
        said.append("The neighbours, which need the labels, do not do clearly better.")
    return said


def _than(name: str, own: Grouping, other: Grouping, weights: N) -> tuple[str, int]:
    """'better than hard (log-loss ...)', and 1; -1 where worse, 0 where chance alone may have made a difference."""
    clear, error = _compared(other.losses, own.losses, weights)
    how = {1: "better than", 0: "about as well as", -1: "worse than"}[clear]
    return f"{how} {name} (log-loss {_losses(own, other)}, standard error of the difference {error:.3f})", clear


def _compared(first: N | None, second: N | None, weights: N) -> tuple[int, float]:
    """1 where the first figures exceed the second by more than chance, and by enough to speak of; -1 the other way.

    And the standard error of the difference.
    """
    assert first is not None
    assert second is not None
    mean, error = agreement.difference(first, second, weights)
    return int(np.sign(mean)) if abs(mean) > max(_TELLING, _CLEAR * error) else 0, error


def _losses(one: Grouping, other: Grouping) -> str:
    """'0.098 against 0.113'."""
    return f"{one.log_loss or 0.0:.3f} against {other.log_loss or 0.0:.3f}"


def _known_weights(assignment: Assignment) -> N:
    assert assignment.known is not None
    return assignment.weights[assignment.known >= 0]


def _most_frequent(assignment: Assignment) -> float:
    """The share of the most frequent label among the rows that have one."""
    assert assignment.known is not None
    told = assignment.known >= 0
    counts = np.bincount(assignment.known[told], assignment.weights[told])
    return float(counts.max() / counts.sum())


def _gaussian(normality: Sequence[Normality]) -> list[str]:
    """Whether each group looks Gaussian."""
    tested = [one for one in normality if one.is_tested]
    odd = [one for one in tested if not one.looks_gaussian]
    untested = len(normality) - len(tested)
    said = []
    if tested and not odd:
        count = len(tested)
        which = "The group looks" if count == 1 else f"{'Both' if count == 2 else f'All {count}'} groups tested look"
        said.append(f"{which} Gaussian ({_TESTS}), as the mixture's probabilities assume.")
    elif odd:
        which = joined([f"{one.component} (p {_p(one.p_value)})" for one in odd])
        verb = f"Group {which} does" if len(odd) == 1 else f"Groups {which} do"
        said.append(
            f"{verb} not look Gaussian ({_TESTS}): the mixture's probabilities are to be taken with care "
            "there, since a component may cover several groups, or a part of one."
        )
    if untested:
        said.append(f"{counted(untested, 'group')} had too few rows for these tests, or rows in a plane.")
    return said


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


def _climb(optimisers: Sequence[Optimised], selection: Selection, total_weight: float) -> list[str]:
    """How the solvers compare, and whether the start matters more."""
    best = max(one.log_likelihood for one in optimisers)
    fit = selection.best.fit
    more = 0.0 if fit is None else (fit.log_likelihood - best) / total_weight
    said = [_fastest(optimisers) if len(optimisers) > 1 else _only(optimisers[0])]
    if more > _OTHER_OPTIMUM:
        said.append(f"The search, which tries more starts, found {more:.2g} more per row: starts matter more here.")
    return said


def _only(one: Optimised) -> str:
    return f"The only solver, {one.solver}, ended at a log-likelihood of {one.log_likelihood:.10g}."


def _fastest(optimisers: Sequence[Optimised]) -> str:
    """Which solvers reach the best log-likelihood, and which first."""
    near = [one for one in optimisers if one.near_passes is not None]
    if len(near) == 1:
        only = near[0]
        when = f"{counted(only.near_passes or 0, 'pass')} ({only.near_seconds:.2g} s)"
        said = f"From one start {only.solver} alone reaches the best log-likelihood to 0.000001 per row, after {when}"
        return f"{'; '.join([said, *_unfinished(near), *_behind(optimisers)])}."
    fewest = min(near, key=lambda one: one.near_passes or 0)
    soonest = min(near, key=lambda one: one.near_seconds or 0.0)
    reach = "all solvers reach" if len(near) == len(optimisers) else f"{len(near)} of {len(optimisers)} solvers reach"
    said = f"From one start {reach} the best log-likelihood to 0.000001 per row: "
    said += f"{fewest.solver} after the fewest passes ({fewest.near_passes})"
    said += " and " if soonest is fewest else f", {soonest.solver} "
    said += f"soonest ({soonest.near_seconds:.2g} s"
    said += ")" if soonest is fewest else f", {counted(soonest.near_passes or 0, 'pass')})"
    plain = next((one for one in near if one.solver == "em"), None)
    if plain is not None and plain not in (fewest, soonest):
        said += f", em after {plain.near_passes}"
    return f"{'; '.join([said, *_unfinished(near), *_behind(optimisers)])}."


def _unfinished(near: Sequence[Optimised]) -> list[str]:
    """Where none of those that reached the best came to rest there, the best may lie higher."""
    if any(one.converged for one in near):
        return []
    verb = "it" if len(near) == 1 else "all of them"
    return [f"but {verb} used up the passes, so that the best may lie higher"]


def _behind(optimisers: Sequence[Optimised]) -> list[str]:
    """Who ended lower, and how."""
    lower = [one for one in optimisers if one.near_passes is None]
    others = [one for one in lower if one.curve == NONE]
    rested = [one for one in lower if one.converged and one not in others]
    stopped = [one for one in lower if not one.converged and one not in others]
    said = [f"{joined([one.solver for one in stopped])} used up the passes {_gaps(stopped)} below"] if stopped else []
    if rested:
        where = "at another optimum, or on a plateau that a smaller tol leads away from"
        said.insert(0, f"{joined([one.solver for one in rested])} stopped {_gaps(rested)} below, {where}")
    if others:
        verb = "climbs" if len(others) == 1 else "climb"
        names = joined([one.solver for one in others])
        said.append(f"{names}, which {verb} another likelihood, ended {_gaps(others)} below")
    return said


def _gaps(some: Sequence[Optimised]) -> str:
    """What some solvers lack per row: '0.48', or '0.05 to 0.48'."""
    least, most = (f"{choose(one.gap for one in some):.2g}" for choose in (min, max))
    return least if least == most else f"{least} to {most}"
