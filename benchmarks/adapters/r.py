"""Peers in R: only what the table says of them; ``mclust.R`` beside this file is the process itself."""

from typing import Any

from benchmarks.adapters.base import Parameters, Peer


class MClust(Peer):
    """mclust's ``em``; ``--python mclust=...`` takes an Rscript."""

    name = "mclust"
    distributions = ("mclust", "blas")

    def fit(self, passes: int) -> Any:
        raise NotImplementedError

    def parameters(self, fitted: Any) -> Parameters:
        raise NotImplementedError
