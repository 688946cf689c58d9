"""gaussmix with its defaults, without screening, and in float32."""

from typing import Any, ClassVar

import numpy as np

from benchmarks.adapters.base import Array, Parameters, Peer


class Gaussmix(Peer):
    """gaussmix's ``GaussianMixture`` with its defaults."""

    name = "gaussmix"
    package_names = ("gaussmix", "numpy")
    dtype: ClassVar[type] = np.float64

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows.astype(self.dtype, copy=False), means, structure)
        from gaussmix import GaussianMixture

        self.estimator_class = GaussianMixture

    def fit(self, n_iter: int) -> Any:
        return self.estimator_class(
            self.n_components,
            covariance_type=self.structure,
            tol=0.0,
            max_iter=n_iter,
            weights_init=self.initial_weights,
            means_init=self.initial_means,
            precisions_init=self.initial_covariances,
        ).fit(self.rows)

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        return fitted_model.weights_, fitted_model.means_, fitted_model.covariances_


class Gaussmix32(Gaussmix):
    """gaussmix's ``GaussianMixture`` on float32 rows."""

    name = "gaussmix32"
    dtype = np.float32


def make_unscreened_engine() -> Any:
    """Return an engine without screening."""
    from gaussmix.engines.compiled import CompiledEngine

    return CompiledEngine(use_screening=False)


class GaussmixDense(Peer):
    """EM with an engine that computes every pair of row and component."""

    name = "gaussmix-dense"
    package_names = ("gaussmix", "numpy")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        from gaussmix.covariance import Structure
        from gaussmix.estimators._initialization import InitParameters

        self.parsed_structure = Structure.from_name(structure)
        shape = (self.n_components, self.n_features)
        self.init_parameters = InitParameters.parse(
            self.parsed_structure, structure, shape, self.initial_weights, means, self.initial_covariances
        )

    def fit(self, n_iter: int) -> Any:
        from gaussmix.model.problem import Problem, make_memory_source
        from gaussmix.solvers import EM, MeanGainRule, run_solver

        problem = Problem.from_source(
            make_memory_source(self.rows), self.parsed_structure, engine=make_unscreened_engine()
        )
        start = self.init_parameters.make_start(problem, "kmeans", self.n_components, np.random.default_rng(0))
        return run_solver(EM(problem.covariance_estimator), start, problem, MeanGainRule(0.0, n_iter)).model

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        matrices = fitted_model.covariances
        covariances = {
            "full": matrices,
            "tied": matrices[0],
            "diag": np.diagonal(matrices, axis1=1, axis2=2),
            "spherical": matrices[:, 0, 0],
        }
        return fitted_model.weights, fitted_model.means, covariances[self.structure]
