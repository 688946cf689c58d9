"""One class for each peer: how it is started from given parameters, told to make so many passes, and read."""

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
