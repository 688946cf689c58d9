"""Other libraries: a class per peer that runs EM iterations, and tables of anomaly detectors and classifiers."""

from benchmarks.adapters.base import Peer
from benchmarks.adapters.classifiers import CLASSIFIERS
from benchmarks.adapters.detectors import DETECTORS
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

# The packages whose versions the report shows, for each peer, detector and classifier.
PACKAGE_NAMES: dict[str, tuple[str, ...]] = {
    **{name: classifier.package_names for name, classifier in CLASSIFIERS.items()},
    **{name: detector.package_names for name, detector in DETECTORS.items()},
    **{name: peer.package_names for name, peer in PEERS.items()},
}

__all__ = ["CLASSIFIERS", "DETECTORS", "GAUSSMIX_PEERS", "PACKAGE_NAMES", "PEERS", "Peer"]
