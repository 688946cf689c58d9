"""Peers in R: names and packages only; the script ``mclust.R`` runs the fits."""

from typing import Any

from benchmarks.adapters.base import Parameters, Peer


class MClust(Peer):
    """mclust's ``em``; ``--python mclust=...`` names its Rscript."""

    name = "mclust"
    package_names = ("mclust", "blas")

    def fit(self, n_iter: int) -> Any:
        raise NotImplementedError

    def extract_parameters(self, fitted_model: Any) -> Parameters:
        raise NotImplementedError
