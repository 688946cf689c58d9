"""One class per peer: fits from given parameters with a given number of iterations."""

from benchmarks.adapters.base import Peer
from benchmarks.adapters.gaussmix import Gaussmix, Gaussmix32, GaussmixDense
from benchmarks.adapters.jax import GMMX
from benchmarks.adapters.numpy_based import MLPack, OneDAL, ScikitLearn, ScikitLearn32
from benchmarks.adapters.r import MClust
from benchmarks.adapters.torch import TGMM, Pomegranate, TorchGMM

PEERS: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (
        Gaussmix,
        GaussmixDense,
        Gaussmix32,
        ScikitLearn,
        ScikitLearn32,
        OneDAL,
        MLPack,
        Pomegranate,
        TorchGMM,
        TGMM,
        GMMX,
        MClust,
    )
}

GAUSSMIX_PEERS = ("gaussmix", "gaussmix-dense", "gaussmix32")

__all__ = ["GAUSSMIX_PEERS", "PEERS", "Peer"]
