"""Peers that use JAX."""

from typing import Any

import numpy as np

from benchmarks.adapters.base import Array, Parameters, Peer


class GMMX(Peer):
    """gmmx's ``EMFitter`` in float32, the default of JAX; it compiles once per number of iterations."""

    name = "gmmx"
    package_names = ("gmmx", "jax", "numpy")
    supported_structures = ("full", "diag")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import jax.numpy as jnp
        from gmmx import EMFitter, GaussianMixtureModelJax

        self.fitter_class = EMFitter
        self.data = jnp.asarray(rows, dtype=jnp.float32)
        self.initial_model = GaussianMixtureModelJax.from_squeezed(
            means=jnp.asarray(means, dtype=jnp.float32),
            covariances=jnp.asarray(self.initial_covariances, dtype=jnp.float32),
            weights=jnp.asarray(self.initial_weights, dtype=jnp.float32),
            covariance_type=structure,
        )

    def fit(self, n_iter: int) -> Any:
        result = self.fitter_class(tol=0.0, max_iter=n_iter).fit(x=self.data, gmm=self.initial_model)
        result.log_likelihood.block_until_ready()
        return result.gmm

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        return fitted_model.weights_numpy, fitted_model.means_numpy, np.asarray(fitted_model.covariances.values_numpy)
