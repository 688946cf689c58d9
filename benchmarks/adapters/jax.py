"""Peers on JAX."""

from typing import Any

import numpy as np

from benchmarks.adapters.base import Array, Parameters, Peer


class GMMX(Peer):
    """gmmx's ``EMFitter``, in float32, JAX's own precision; it compiles once for every number of passes."""

    name = "gmmx"
    distributions = ("gmmx", "jax", "numpy")
    structures = ("full", "diag")

    def __init__(self, rows: Array, means: Array, structure: str) -> None:
        super().__init__(rows, means, structure)
        import jax.numpy as jnp
        from gmmx import EMFitter, GaussianMixtureModelJax

        self.fitter = EMFitter
        self.data = jnp.asarray(rows, dtype=jnp.float32)
        self.start = GaussianMixtureModelJax.from_squeezed(
            means=jnp.asarray(means, dtype=jnp.float32),
            covariances=jnp.asarray(self.covariances, dtype=jnp.float32),
            weights=jnp.asarray(self.weights, dtype=jnp.float32),
            covariance_type=structure,
        )

    def fit(self, passes: int) -> Any:
        done = self.fitter(tol=0.0, max_iter=passes).fit(x=self.data, gmm=self.start)
        done.log_likelihood.block_until_ready()
        return done.gmm

    def parameters(self, fitted: Any) -> Parameters:
        return fitted.weights_numpy, fitted.means_numpy, np.asarray(fitted.covariances.values_numpy)
