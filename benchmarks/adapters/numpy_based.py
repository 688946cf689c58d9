"""Peers that take NumPy arrays: scikit-learn, Intel oneDAL, mlpack."""

from typing import Any

import numpy as np

from benchmarks.adapters.base import Array, Parameters, Peer


class ScikitLearn(Peer):
    """scikit-learn's ``GaussianMixture``."""

    name = "scikit-learn"
    package_names = ("scikit-learn", "numpy")
    dtype: type = np.float64
    reg_covar = 0.0

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows.astype(self.dtype, copy=False), means.astype(self.dtype), structure)
        from sklearn.mixture import GaussianMixture

        self.estimator_class = GaussianMixture

    def fit(self, n_iter: int) -> Any:
        return self.estimator_class(
            self.n_components,
            covariance_type=self.structure,
            tol=0.0,
            reg_covar=self.reg_covar,
            max_iter=n_iter,
            weights_init=self.initial_weights.astype(self.dtype),
            means_init=self.initial_means,
            precisions_init=self.initial_covariances.astype(self.dtype),
            init_params="random_from_data",  # fast; the given parameters replace its result
        ).fit(self.rows)

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        return fitted_model.weights_, fitted_model.means_, fitted_model.covariances_


class ScikitLearn32(ScikitLearn):
    """scikit-learn's ``GaussianMixture`` on float32 rows."""

    name = "scikit-learn32"
    dtype = np.float32
    reg_covar = 1e-6


class OneDAL(Peer):
    """Intel oneDAL through daal4py."""

    name = "onedal"
    package_names = ("scikit-learn-intelex", "daal", "numpy")
    supported_structures = ("full", "diag")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import daal4py

        self.algorithm_class = daal4py.em_gmm
        self.covariance_storage = {"full": "full", "diag": "diagonal"}[structure]
        self.covariance_matrices = [np.atleast_2d(covariance) for covariance in self.initial_covariances]

    def fit(self, n_iter: int) -> Any:
        algorithm = self.algorithm_class(
            self.n_components, maxIterations=n_iter, accuracyThreshold=0.0, covarianceStorage=self.covariance_storage
        )
        return algorithm.compute(self.rows, self.initial_weights[None], self.initial_means, self.covariance_matrices)

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        return np.ravel(fitted_model.weights), fitted_model.means, np.squeeze(np.array(fitted_model.covariances))


class MLPack(Peer):
    """mlpack's ``gmm_train``, which initializes by clustering and counts iterations from one."""

    name = "mlpack"
    package_names = ("mlpack", "numpy")
    supported_structures = ("full", "diag")
    can_start_from_parameters = False

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import mlpack

        self.train_function = mlpack.gmm_train

    def fit(self, n_iter: int) -> Any:
        return self.train_function(
            gaussians=self.n_components,
            input_=self.rows,
            kmeans_max_iterations=2,
            seed=1,
            max_iterations=n_iter + 1,
            tolerance=0.0,
            diagonal_covariance=self.structure == "diag",
        )["output_model"]

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        parts = fitted_model.get_cpp_params()["GMM"]
        means = np.array([np.ravel(component["mean"]) for component in parts["dists"]])
        matrices = np.array([component["covariance"] for component in parts["dists"]])
        if self.structure == "diag":
            matrices = np.diagonal(matrices, axis1=1, axis2=2)
        return np.ravel(parts["weights"]), means, matrices
