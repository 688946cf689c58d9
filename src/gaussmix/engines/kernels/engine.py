"""The fast engine: kernels compiled for the machine they run on, a block of rows at a time.

It equals the reference to 1e-10 and is chosen where the work pays for loading compiled code (see
``engines/choice.py``).
"""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.blas import calm_blas
from gaussmix.core.expectation import Expectation
from gaussmix.core.linalg import outer_sum
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.core.whole import WholeEnd, WholeRun
from gaussmix.engines.base import AbstractEngine, Assign, RowScores
from gaussmix.engines.kernels.compiled.values import MASS, NOTHING, POOLED, Rows, Screen, Sums
from gaussmix.engines.kernels.entries import full_pass, screened_pass
from gaussmix.engines.kernels.machine import SMALLEST
from gaussmix.engines.kernels.packing import (
    KINDS,
    NO_ANSWERS,
    Packed,
    new_sums,
    pack,
    rows_of,
    unpack_scatter,
    written_out,
)
from gaussmix.engines.kernels.screening import screen_of, tolerance
from gaussmix.engines.kernels.tile import full_tile, screened_tile_of
from gaussmix.engines.kernels.whole import carried_out
from gaussmix.engines.kernels.words import Words, joined, words_of
from gaussmix.types import NK, Array

_CANCELLATION = 1e-11
"""Pooled scatter is taken from the total of all rows where rounding then costs it less than this share."""


@dataclass
class BlockSums:
    """What blocks add up to about the pass' centres: plain addition, in place, since nobody else holds them."""

    words: Words
    n_rows: int
    spare: list[Words]

    @property
    def sums(self) -> Sums:
        """The arrays that are added up."""
        sums: Sums = self.words.values
        return sums

    def __add__(self, other: "BlockSums") -> "BlockSums":
        for ours, theirs in zip(self.sums, other.sums, strict=True):
            np.add(ours, theirs, out=ours)
        self.n_rows += other.n_rows
        self.spare.append(other.words)
        return self


@dataclass(frozen=True)
class Workspace:
    """The arrays of one thread, in words: tiles for full and for screened work."""

    full: Words
    screened: Words | None = None
    sieve: Words | None = None


_NO_ANSWERS = words_of(NO_ANSWERS)
_NOTHING_KNOWN = words_of((np.empty(0), np.empty(0, dtype=np.int64), np.empty((0, 0))))
"""Weights, labels and log hints of rows that have none."""


_kept = threading.local()
_MOST_KEPT, _LARGEST_KEPT = 8, 1 << 22
"""Tiles that a thread keeps, and the bytes of the largest."""


def _kept_tile(packed: Packed, kind: int) -> Words:
    """A thread's tile for full work on models of a shape: to make one takes longer than a pass over few rows."""
    model = packed.model
    tiles: dict[Any, Words] = _kept.__dict__.setdefault("tiles", {})
    # Columns beyond the rows' are zero from the beginning, and stay so only for rows of as many columns.
    key = (model.center.shape, packed.n_features, packed.n_columns, len(model.whitening), kind)
    words = tiles.get(key)
    if words is None:
        tile = full_tile(model, packed.n_columns, kind)
        words = words_of(tile)
        if sum(part.nbytes for part in tile if isinstance(part, np.ndarray)) <= _LARGEST_KEPT:
            while len(tiles) >= _MOST_KEPT:
                del tiles[next(iter(tiles))]
            tiles[key] = words
    return words


@dataclass(frozen=True)
class Pass:
    """Everything that is prepared once for a pass; threads work on tiles of their own."""

    packed: Packed
    kind: int
    hard: bool
    screen: Screen | None = None
    least: float = SMALLEST
    _own: Any = field(default_factory=threading.local)
    _spare: list[Words] = field(default_factory=list)

    @classmethod
    def of(cls, quadratics: Quadratics, kind: int, hard: bool = False, screening: bool = False) -> "Pass":
        with calm_blas(quadratics.n_features):
            packed = pack(quadratics, kind)
            if not screening:
                return cls(packed, kind, hard)
            return cls(packed, kind, hard, screen_of(quadratics, hard), -tolerance(quadratics.n_components))

    @cached_property
    def _model(self) -> Words:
        return words_of(self.packed.model)

    @cached_property
    def _bounds(self) -> Words:
        return words_of(cast(Screen, self.screen))

    def full(self, batch: Batch, answers: Words = _NO_ANSWERS) -> BlockSums:
        """A block in which every pair is computed."""
        sums = self._new_sums()
        self._add_full(self._rows(batch), 0, batch.n_rows, sums, answers)
        return BlockSums(sums, batch.n_rows, self._spare)

    def block(self, batch: Batch, answers: Words = _NO_ANSWERS) -> BlockSums:
        """A block in which the pairs are computed that can matter; all of them from where too many can."""
        if self.screen is None or batch.hints is not None:
            return self.full(batch, answers)
        rows, sums, work, n_rows = self._rows(batch), self._new_sums(), self._workspace(), batch.n_rows
        done = screened_pass(
            rows, n_rows, self._model, work.screened, self._bounds, work.sieve, self.kind, self.hard, sums, answers
        )
        if done < n_rows:
            self._add_full(rows, done, n_rows, sums, answers)
        return BlockSums(sums, n_rows, self._spare)

    def _add_full(self, rows: Words, begin: int, end: int, sums: Words, answers: Words) -> None:
        tile = self._workspace().full
        full_pass(rows, begin, end, self._model, tile, self.kind, self.hard, self.least, sums, answers)

    def _rows(self, batch: Batch) -> Words:
        """A batch in words; those of its frame, which blocks and passes share, are made once for each thread."""
        rows = rows_of(batch)
        frame: Words | None = getattr(_kept, "frame", None)
        if frame is None or frame.values[0] is not rows.shrink:
            frame = _kept.frame = words_of((rows.shrink, rows.center, rows.scale))
        known = _NOTHING_KNOWN
        if batch.weights is not None or batch.hints is not None:
            known = words_of((rows.weights, rows.labels, rows.log_hints))
        return joined(Rows, words_of((rows.stored,)), frame, known)

    def _new_sums(self) -> Words:
        """Sums of nothing, in arrays that have been added already where there are some: fresh memory is slow."""
        try:
            sums = self._spare.pop()
        except IndexError:
            return words_of(new_sums(self.packed, self.kind))
        for part in sums.values:
            part.fill(0.0)
        return sums

    def _workspace(self) -> Workspace:
        work: Workspace | None = getattr(self._own, "work", None)
        if work is None:
            work = self._own.work = self._make()
        return work

    def _make(self) -> Workspace:
        model, n_columns = self.packed.model, self.packed.n_columns
        full = _kept_tile(self.packed, self.kind)
        if self.screen is None:
            return Workspace(full)
        tile, sieve = screened_tile_of(model, n_columns, self.kind, self.screen)
        return Workspace(full, words_of(tile), words_of(sieve))


@dataclass
class _Recent:
    """The last preparation for ranking: blocks of one pass ask for it one after the other."""

    quadratics: Quadratics | None = None
    job: Pass | None = None


@dataclass(frozen=True)
class KernelEngine(AbstractEngine):
    """Compiled passes; with ``screening``, pairs that cannot matter are skipped."""

    screening: bool = True
    _recent: _Recent = field(default_factory=_Recent, compare=False, repr=False)

    def sweep(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        kind: MomentKind,
        assign: Assign = Assign.SOFT,
        total: Moments | None = None,
    ) -> Expectation:
        quadratics = written_out(quadratics)
        added = KINDS[kind]
        if added == POOLED and total is not None and _keeps_digits(quadratics, total):
            added = MASS
        job = Pass.of(quadratics, added, assign is Assign.HARD, self.screening)
        found = reduce(job.block)
        if self.screening and _is_starved(found.sums, quadratics):
            job = Pass.of(quadratics, added, assign is Assign.HARD)
            found = reduce(job.full)
        return _finished(found, job, quadratics, kind, total)

    def offers_whole(self, n_rows: int, n_components: int, n_features: int) -> bool:
        return True

    def whole(self, run: WholeRun) -> WholeEnd | None:
        return carried_out(run)

    def score(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        shape = (batch.n_rows, quadratics.n_components)
        scores = out if out is not None and out.flags.c_contiguous else np.empty(shape)
        Pass.of(written_out(quadratics), NOTHING).full(batch, words_of(NO_ANSWERS._replace(scores=scores)))
        if out is not None and scores is not out:
            out[...] = scores
            return out
        return scores

    def rank(self, quadratics: Quadratics, batch: Batch) -> RowScores:
        n = batch.n_rows
        found = NO_ANSWERS._replace(label=np.empty(n, dtype=np.int64), top=np.empty(n), log_density=np.empty(n))
        recent = self._recent
        job = recent.job if recent.quadratics is quadratics else None
        if job is None:
            job = Pass.of(written_out(quadratics), NOTHING, screening=self.screening)
            object.__setattr__(self, "_recent", _Recent(quadratics, job))
        job.block(batch, words_of(found))
        return RowScores(found.label, found.top, found.log_density)


def _is_starved(sums: Sums, quadratics: Quadratics) -> bool:
    """Whether a component has so little mass that the pairs skipped would count: it is computed in full then.

    A skipped pair has less than 2^-53 / K of its row, which is 1e-12 of any larger mass.
    """
    least = float(sums.mass.sum()) * 2.0**-53 / len(sums.mass) / 1e-12
    return bool((np.isfinite(quadratics.offset) & (sums.mass < least)).any())


def _keeps_digits(quadratics: Quadratics, total: Moments) -> bool:
    """Whether pooled scatter may be what the total leaves once the spread of the means is taken away."""
    roots = quadratics.root.dense(quadratics.n_components, quadratics.n_features)[0]
    largest_precision = float((roots**2).sum())
    spread = float(np.trace(total.scatter)) / float(total.mass[0])
    return bool(np.finfo(float).eps * spread * largest_precision < _CANCELLATION)


def _finished(
    found: BlockSums, job: Pass, quadratics: Quadratics, kind: MomentKind, total: Moments | None
) -> Expectation:
    """Sums about the pass' centres as moments about the new means."""
    n_features = quadratics.n_features
    mass = found.sums.mass
    first = found.sums.first.reshape(len(mass), -1)[:, :n_features]
    totals = found.sums.totals
    if kind is MomentKind.NOTHING:
        moments = Moments.shifted(mass, quadratics.center, first, np.zeros((len(mass), 0)), kind)
    elif job.kind == MASS and total is not None:
        moments = _pooled_from_total(mass, quadratics.center, first, total)
    else:
        scatter = unpack_scatter(found.sums.scatter, job.packed, job.kind, n_features)
        moments = Moments.shifted(mass, quadratics.center, first, _reduced(scatter, kind), kind)
    n_pairs = min(int(totals[2]), found.n_rows * len(mass))  # the places of groups that are not full count too
    return Expectation(moments, float(totals[0]), float(totals[1]), found.n_rows, n_pairs)


def _reduced(scatter: Array, kind: MomentKind) -> Array:
    """Sums of squares of every component in the shape of a kind."""
    if kind is MomentKind.TRACE:
        return np.asarray(scatter.sum(axis=1))
    if kind is MomentKind.POOLED_DIAGONAL:
        return np.asarray(scatter.sum(axis=0))
    return scatter[0] if kind is MomentKind.POOLED_FULL else scatter


def _pooled_from_total(mass: Array, center: Array, first: Array, total: Moments) -> Moments:
    """Pooled scatter = scatter of all rows less that of the component means."""
    mean = center + first / np.where(mass > 0, mass, 1.0)[:, None]
    between = outer_sum(mean - total.mean[0], mass)
    return Moments(mass, mean, total.scatter - between, MomentKind.POOLED_FULL)
