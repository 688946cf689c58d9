"""Where the runs of a fit begin: what is given, how much is noise, what is held, and which rows are known."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.errors import ConstraintError, LabelError
from gaussmix.estimators._given import Given
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.held import Held, imposed, matching
from gaussmix.model.noise import Box
from gaussmix.model.volume import box_of
from gaussmix.solvers import EM, Run
from gaussmix.solvers.start import in_order
from gaussmix.solvers.start.known import renumbered, seeded
from gaussmix.solvers.start.noise import noisy, noisy_from, with_noise
from gaussmix.types import IntN


@dataclass(frozen=True)
class Beginning:
    """The given parameters, the start's name, the box of the noise, what is held, and known components of rows (n,).

    None where there is none; the source of the problem has the known components for hints.
    """

    given: Given
    method: str
    n_components: int
    box: Box | None = None
    held: Held | None = None
    known: IntN | None = None

    @classmethod
    def of(
        cls,
        problem: Problem,
        given: Given,
        method: str,
        count: int,
        noise: object,
        constraints: object,
        known: IntN | None = None,
    ) -> "Beginning":
        """Noise and constraints, checked before, in the frame of a problem."""
        box = box_of(problem, noise)
        held = None
        if isinstance(constraints, Constraints):
            held = constraints.held(problem.family.structure, count, problem.source.frame, box is not None)
        if held is not None and problem.family.prior is not None and np.isfinite(held.centers).any():
            raise ConstraintError.with_prior()
        if known is not None and given.weights is not None:
            lost = np.flatnonzero((given.weights == 0) & np.isin(np.arange(count), known))
            if len(lost):
                raise LabelError.without_weight(int(lost[0]))
        return cls(given, method, count, box, held, known)

    @property
    def labelled(self) -> IntN:
        """The components of which rows are known."""
        return np.empty(0, dtype=np.int64) if self.known is None else np.unique(self.known[self.known >= 0])

    def ordered(self, winner: Run, problem: Problem) -> Mixture:
        """The mixture with its components in the order of their means, but for those that somebody gave numbers.

        Those of a given start lose them to a move of split and merge, which makes other components of them.
        """
        held = np.zeros(self.n_components, dtype=bool) if self.held is None else self.held.single
        if held.any() or not self.given.is_empty:
            held = held if winner.moves else np.ones_like(held)
        kept = np.union1d(np.flatnonzero(held), self.labelled)
        return in_order(winner.mixture, problem, kept.tolist())

    def solver(self, problem: Problem) -> EM:
        return EM(problem.family, self.held)

    def start(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """The start of one run."""
        if self.known is None or self.given.means is not None:
            return self._unlabelled(problem, rng)
        start = self._unlabelled(problem, rng)
        return seeded(
            problem, start, self.known, self.solver(problem), lambda each: self._held(self.given.applied(problem, each))
        )

    def _unlabelled(self, problem: Problem, rng: np.random.Generator) -> Mixture:
        """A start that knows of no row."""
        if self.box is None or not self.given.is_empty:
            start = self.given.start(problem, self.method, self.n_components, rng)
            return self._obeying(start if self.box is None else noisy_from(problem, start, self.box, rng))
        solver = self.solver(problem)
        return noisy(problem, self.method, self.n_components, self.box, solver, rng, self._obeying)

    def again(self, last: Mixture, problem: Problem) -> Mixture:
        """The start of a run that goes on from the last model."""
        total = last.weights.sum()  # none where noise has taken all rows
        weights = last.weights / total if total > 0 else np.full(self.n_components, 1.0 / self.n_components)
        bare = replace(last, weights=weights, noise=None, n_held=0)
        if self.known is not None:  # which may have been known to the last fit, too, or not
            both = bare, renumbered(problem, bare, self.known)
            bare = max(both, key=lambda each: problem.expect(each.to_quadratics()).log_likelihood)
        if self.box is not None:
            share = 0.05 if last.noise is None else last.noise.weight
            bare = with_noise(bare, self.box, share)
        return self._obeying(bare)

    def _obeying(self, start: Mixture) -> Mixture:
        if self.held is not None and self.given.is_empty and self.held.orders:
            start = start.permute(matching(start, self.held))
        return self._held(start)

    def _held(self, start: Mixture) -> Mixture:
        return start if self.held is None else imposed(start, self.held)
