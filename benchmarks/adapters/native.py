"""Peers that take NumPy arrays: scikit-learn, Intel oneDAL, mlpack."""

from typing import Any

import numpy as np

from benchmarks.adapters.base import Array, Parameters, Peer


class ScikitLearn(Peer):
    """scikit-learn's ``GaussianMixture``."""

    name = "scikit-learn"
    distributions = ("scikit-learn", "numpy")
    dtype: type = np.float64
    ridge = 0.0

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows.astype(self.dtype, copy=False), means.astype(self.dtype), structure)
        from sklearn.mixture import GaussianMixture

        self.make = GaussianMixture

    def fit(self, passes: int) -> Any:
        return self.make(
            self.K,
            covariance_type=self.structure,
            tol=0.0,
            reg_covar=self.ridge,
            max_iter=passes,
            weights_init=self.weights.astype(self.dtype),
            means_init=self.means,
            precisions_init=self.covariances.astype(self.dtype),
            init_params="random_from_data",  # cheap, and replaced by the start that is given
        ).fit(self.rows)

    def parameters(self, fitted: Any) -> Parameters:
        return fitted.weights_, fitted.means_, fitted.covariances_


class ScikitLearn32(ScikitLearn):
    """The same on float32 rows."""

    name = "scikit-learn32"
    dtype = np.float32
    ridge = 1e-6


class OneDAL(Peer):
    """Intel oneDAL through daal4py."""

    name = "onedal"
    distributions = ("scikit-learn-intelex", "daal", "numpy")
    structures = ("full", "diag")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import daal4py

        self.make = daal4py.em_gmm
        self.storage = {"full": "full", "diag": "diagonal"}[structure]
        self.starts = [np.atleast_2d(one) for one in self.covariances]

    def fit(self, passes: int) -> Any:
        algorithm = self.make(self.K, maxIterations=passes, accuracyThreshold=0.0, covarianceStorage=self.storage)
        return algorithm.compute(self.rows, self.weights[None], self.means, self.starts)

    def parameters(self, fitted: Any) -> Parameters:
        return np.ravel(fitted.weights), fitted.means, np.squeeze(np.array(fitted.covariances))


class MLPack(Peer):
    """mlpack's ``gmm_train``, which clusters the rows for a start of its own and counts its passes from one."""

    name = "mlpack"
    distributions = ("mlpack", "numpy")
    structures = ("full", "diag")
    takes_start = False

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import mlpack

        self.train = mlpack.gmm_train

    def fit(self, passes: int) -> Any:
        return self.train(
            gaussians=self.K,
            input_=self.rows,
            kmeans_max_iterations=2,
            seed=1,
            max_iterations=passes + 1,
            tolerance=0.0,
            diagonal_covariance=self.structure == "diag",
        )["output_model"]

    def parameters(self, fitted: Any) -> Parameters:
        parts = fitted.get_cpp_params()["GMM"]
        means = np.array([np.ravel(bell["mean"]) for bell in parts["dists"]])
        matrices = np.array([bell["covariance"] for bell in parts["dists"]])
        if self.structure == "diag":
            matrices = np.diagonal(matrices, axis1=1, axis2=2)
        return np.ravel(parts["weights"]), means, matrices
