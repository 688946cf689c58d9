"""Ours: as shipped, with every pair of row and component computed, and in float32."""

from typing import Any, ClassVar

import numpy as np

from benchmarks.adapters.base import Array, Parameters, Peer


class Gaussmix(Peer):
    """``GaussianMixture`` as users call it."""

    name = "gaussmix"
    distributions = ("gaussmix", "numpy")
    dtype: ClassVar[type] = np.float64

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows.astype(self.dtype, copy=False), means, structure)
        from gaussmix import GaussianMixture

        self.make = GaussianMixture

    def fit(self, passes: int) -> Any:
        return self.make(
            self.K,
            covariance_type=self.structure,
            tol=0.0,
            max_iter=passes,
            weights_init=self.weights,
            means_init=self.means,
            precisions_init=self.covariances,
        ).fit(self.rows)

    def parameters(self, fitted: Any) -> Parameters:
        return fitted.weights_, fitted.means_, fitted.covariances_


class Gaussmix32(Gaussmix):
    """The same on float32 rows."""

    name = "gaussmix32"
    dtype = np.float32


def dense_engine() -> Any:
    """The engine that leaves nothing out: the one place that knows how screening is switched off."""
    from gaussmix.engines.kernels import KernelEngine

    return KernelEngine(screening=False)


class GaussmixDense(Peer):
    """The same EM with an engine that computes every pair of row and component."""

    name = "gaussmix-dense"
    distributions = ("gaussmix", "numpy")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        from gaussmix.covariance import Structure
        from gaussmix.estimators._given import Given

        self.parsed = Structure.parse(structure)
        shape = (self.K, self.d)
        self.given = Given.parse(self.parsed, structure, shape, self.weights, means, self.covariances)

    def fit(self, passes: int) -> Any:
        from gaussmix.model.problem import Problem, source_of
        from gaussmix.solvers import EM, AbsoluteGain, run

        problem = Problem.of(source_of(self.rows), self.parsed, engine=dense_engine())
        start = self.given.start(problem, "kmeans", self.K, np.random.default_rng(0))
        return run(EM(problem.family), start, problem, AbsoluteGain(0.0, passes)).mixture

    def parameters(self, fitted: Any) -> Parameters:
        matrices = fitted.covariances
        picked = {
            "full": matrices,
            "tied": matrices[0],
            "diag": np.diagonal(matrices, axis1=1, axis2=2),
            "spherical": matrices[:, 0, 0],
        }
        return fitted.weights, fitted.means, picked[self.structure]
