"""E-steps of bare quadratics, over a source, one batch or parts of a batch."""

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import SupportsReduce
from gaussmix.engines import AbstractEngine, AssignmentKind


@dataclass(frozen=True)
class QuadraticsModel:
    """A model that is nothing but its quadratics."""

    quadratics: Quadratics

    def to_quadratics(self) -> Quadratics:
        return self.quadratics

    def marginal(self, columns: Sequence[int]) -> "QuadraticsModel":
        raise NotImplementedError


@dataclass(frozen=True)
class PartsOfBatch:
    """A batch handed over in parts of ``step`` rows; None hands it over whole."""

    batch: Batch
    step: int | None = None

    def reduce(self, task: Callable[[Batch], Any]) -> Any:
        if self.step is None:
            return task(self.batch)
        starts = range(0, self.batch.n_rows, self.step)
        return functools.reduce(operator.add, [task(self.batch.sub_batch(i, i + self.step)) for i in starts])


def e_step(
    engine: AbstractEngine,
    source: SupportsReduce,
    quadratics: Quadratics,
    moment_kind: MomentKind,
    assignment: AssignmentKind = AssignmentKind.SOFT,
    total_moments: Moments | None = None,
) -> Expectation:
    """One E-step of an engine over all rows of a source."""
    return engine.bind(source).e_step(QuadraticsModel(quadratics), moment_kind, assignment, total_moments)


def e_step_on_batch(
    engine: AbstractEngine,
    quadratics: Quadratics,
    batch: Batch,
    moment_kind: MomentKind,
    assignment: AssignmentKind = AssignmentKind.SOFT,
) -> Expectation:
    """One E-step of an engine over one batch."""
    return e_step(engine, PartsOfBatch(batch), quadratics, moment_kind, assignment)
