"""Peers in R: only what the table says of them; ``mclust.R`` beside this file is the process itself."""

from typing import Any

from benchmarks.adapters.base import Parameters, Peer


class MClust(Peer):
    """mclust's ``em``; ``--python mclust=...`` takes an Rscript."""

    name = "mclust"
    package_names = ("mclust", "blas")

    def fit(self, n_iter: int) -> Any:
        raise NotImplementedError

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        raise NotImplementedError
