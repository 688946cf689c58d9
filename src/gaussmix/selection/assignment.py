"""Hard and soft assignment beside each other: the mixture's, that of k-means, that of nearest neighbours, known groups.

Numbers of groups are those of the mixture's components, as far as groups can be matched with them.
"""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.posterior import uncertainty
from gaussmix.selection import agreement
from gaussmix.selection.agreement import Bin
from gaussmix.selection.measure import Measure
from gaussmix.types import ND, NK, Array, BoolN, IntN, N

KMEANS, NEIGHBOURS, HARD, SOFT = "k-means", "k-nearest neighbours", "mixture, hard", "mixture, soft"
KNOWN = "labels"

N_FOLDS = 5
"""Folds in which known groups are foretold."""

UNSURE = 0.2
"""Above this uncertainty, 1 - the largest probability, a row lies between components."""


@dataclass(frozen=True)
class Known:
    """Groups that are known: their ``names``, that of each row (n,), -1 where unknown, and folds to foretell it in."""

    names: tuple[str, ...]
    classes: IntN
    folds: IntN

    @classmethod
    def of(cls, names: tuple[str, ...], classes: IntN, rows: ND, seed: int) -> "Known":
        """Known groups of rows (n, D), each dealt out over the folds by a seed."""
        return cls(names, classes, agreement.folds_of(rows, classes, N_FOLDS, seed))

    @property
    def rows(self) -> BoolN:
        """Of which rows (n,) the group is known."""
        return np.asarray(self.classes >= 0)


@dataclass(frozen=True, eq=False)
class Grouping:
    """One way to assign the rows.

    ``groups`` (n,) are numbered like the components that they share most rows with. ``n_differing`` is the weight of
    rows that the mixture assigns to another component, ``adjusted_rand`` how well the two partitions agree. The others
    are None where no groups are known. They belong to the probabilities that a row gets for each known group, from what
    the rows of other folds say of them: ``accuracy`` is the share of rows whose most probable one is right,
    ``log_loss`` (nats a row) and ``calibration_error`` judge the probabilities, and ``bins`` say how these come true.
    ``right`` and ``losses`` (n known,) are the first two for each row of a known group.
    """

    name: str
    groups: IntN = field(repr=False)
    n_differing: float
    adjusted_rand: float
    accuracy: float | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    bins: tuple[Bin, ...] = field(default=(), repr=False)
    right: N | None = field(default=None, repr=False)
    losses: N | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Assignment:
    """Every way to assign the rows (n, D), of ``weights`` (n,), and how they agree.

    ``soft`` (n, K) are the mixture's probabilities. ``n_uncertain`` is the weight of rows whose most probable component
    has less than 0.8, ``expected_errors`` that of the rows which hard assignment gives to a wrong component if the
    mixture is right: the sum of 1 - largest probability. ``agreement`` holds the adjusted Rand index of each two
    partitions, ``known`` the known groups as component numbers (n,), -1 where unknown, None where nothing is known;
    ``class_names`` are their names and ``label_numbers`` the numbers that these have there.
    ``circles`` is what k-means takes for groups: equal round ones, in its own measure, which is in standard deviations
    of each column where ``standardised``, else in the data's units.
    """

    mixture: Mixture
    groupings: tuple[Grouping, ...]
    agreement: dict[tuple[str, str], float]
    n_uncertain: float
    expected_errors: float
    class_names: tuple[str, ...]
    label_numbers: tuple[int, ...]
    circles: Mixture = field(repr=False)
    standardised: bool
    rows: ND = field(repr=False)
    weights: N = field(repr=False)
    soft: NK = field(repr=False)
    known: IntN | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> Grouping:
        """A way to assign by its name; KeyError if it was not taken."""
        for grouping in self.groupings:
            if grouping.name == name:
                return grouping
        raise KeyError(name)

    @property
    def units(self) -> str:
        """What k-means and nearest neighbours measure in."""
        return "standard deviations of each column" if self.standardised else "the data's units"

    @property
    def counts(self) -> bool:
        """Whether every row counts once, so that sums of weights are numbers of rows."""
        return float(self.weights.sum()) == len(self.weights)

    def __contains__(self, name: object) -> bool:
        return any(grouping.name == name for grouping in self.groupings)

    def table(self) -> list[dict[str, object]]:
        """One row per way to assign: agreement with the mixture and, with labels, how right it is."""
        return [
            {
                "method": one.name,
                "n_differing": one.n_differing,
                "adjusted_rand": one.adjusted_rand,
                "accuracy": one.accuracy,
                "log_loss": one.log_loss,
                "calibration_error": one.calibration_error,
            }
            for one in self.groupings
        ]


def assigned(
    mixture: Mixture,
    rows: ND,
    weights: N,
    measure: Measure,
    known: Known | None,
    votes: Array | None,
    rng: np.random.Generator,
) -> Assignment:
    """All ways to assign the rows; ``votes`` (n, C) are the nearest neighbours' probabilities of known groups."""
    soft = mixture.responsibilities(rows)
    hard = np.asarray(soft.argmax(axis=1), dtype=np.int64)
    count = mixture.n_components
    near, circles = measure.kmeans(count, rng, mixture.feature_names)
    places = agreement.matched(near, hard, weights, (count, count))
    near, circles, ones = places[near], circles.permute(np.argsort(places)), np.eye(count)
    ways: dict[str, tuple[IntN, Array]] = {KMEANS: (near, ones[near])}
    numbers = _numbers(known, hard, weights, count)
    if votes is not None:
        ways[NEIGHBOURS] = (numbers[votes.argmax(axis=1)], votes)
    ways |= {HARD: (hard, ones[hard]), SOFT: (hard, soft)}
    doubts = uncertainty(soft)
    truth = None if known is None else np.append(numbers, -1)[known.classes]
    return Assignment(
        mixture,
        tuple(_grouping(name, *way, hard, weights, known) for name, way in ways.items()),
        _agreement({name: groups for name, (groups, _) in ways.items()}, truth, weights),
        float(weights[doubts > UNSURE].sum()),
        float(weights @ doubts),
        () if known is None else known.names,
        tuple(numbers.tolist()),
        circles,
        measure.standardised,
        rows,
        weights,
        soft,
        truth,
    )


def _numbers(known: Known | None, hard: IntN, weights: N, n_components: int) -> IntN:
    """The numbers (C,) of known groups: those of the components that they match, and those after them."""
    if known is None:
        return np.empty(0, dtype=np.int64)
    told = known.rows
    return agreement.matched(known.classes[told], hard[told], weights[told], (0, n_components))


def _grouping(name: str, groups: IntN, soft: Array, hard: IntN, weights: N, known: Known | None) -> Grouping:
    differing = float(weights[groups != hard].sum())
    agreed = agreement.adjusted_rand(groups, hard, weights)
    if known is None:
        return Grouping(name, groups, differing, agreed)
    told = known.rows
    own, counts = known.classes[told], weights[told]
    held_out = soft if name == NEIGHBOURS else agreement.held_out(soft, known.classes, known.folds, weights)
    chances = held_out[told]
    right, losses = (chances.argmax(axis=1) == own).astype(float), agreement.losses(chances, own)
    bins = agreement.reliability(chances, own, counts)
    accuracy, loss = (float(counts @ each / counts.sum()) for each in (right, losses))
    error = agreement.calibration_error(bins)
    return Grouping(name, groups, differing, agreed, accuracy, loss, error, bins, right, losses)


def _agreement(ways: dict[str, IntN], truth: IntN | None, weights: N) -> dict[tuple[str, str], float]:
    """The adjusted Rand index of each two partitions; the mixture has one, and labels count where they are known."""
    parts = {name: groups for name, groups in ways.items() if name != SOFT}
    names = [*parts, *([] if truth is None else [KNOWN])]
    found = {}
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            if second == KNOWN and truth is not None:
                told = truth >= 0
                value = agreement.adjusted_rand(parts[first][told], truth[told], weights[told])
            else:
                value = agreement.adjusted_rand(parts[first], parts[second], weights)
            found[first, second] = value
    return found
