"""scikit-learn's interface: estimators that may change themselves and hand every sum to the rooms below."""

from gaussmix.estimators.mixture import GaussianMixture

__all__ = ["GaussianMixture"]
