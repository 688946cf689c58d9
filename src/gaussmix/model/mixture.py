"""``Mixture``: a probability distribution made of several Gaussians."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.input_arrays import parse_rows
from gaussmix.core.moments import Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.covariance import (
    AbstractCovariance,
    AbstractCovarianceEstimator,
    Structure,
    contract_covariances,
    covariance_from_matrices,
    rescale_columns,
)
from gaussmix.engines import AutomaticEngine
from gaussmix.errors import DataError, ParameterError
from gaussmix.model import gaussian_algebra, prediction, sampling
from gaussmix.model.gaussian import Gaussian
from gaussmix.model.noise import N_NOISE_PARAMETERS, Noise, drop_noise, noise_to_minus_one
from gaussmix.sources import MemorySource
from gaussmix.types import KD, KDD, ND, NK, Array, ArrayLike, IntD, IntN, K, N


@dataclass(frozen=True, eq=False)
class Mixture:
    """Weights, centres and covariances of K Gaussians in D dimensions; a value that never changes.

    Build one from numbers with `Mixture.from_parameters`, or fit one with `GaussianMixture`, whose
    ``model_`` it is. ``centers`` and ``covariance`` are kept in the working coordinates of
    ``frame``, so that data far from zero or in tiny units lose nothing; `means`, `covariances` and
    `precisions` give them in the data's units. ``noise``, if there is any, is one more component of
    even density, whose weight and theirs add up to 1; ``n_held`` counts the parameters that a fit
    held fixed.
    """

    weights: K
    centers: KD
    covariance: AbstractCovariance
    frame: Frame
    feature_names: tuple[str, ...] | None = None
    noise: Noise | None = None
    n_fixed_parameters: int = 0

    @classmethod
    def from_parameters(
        cls,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        structure: str = "VVV",
        feature_names: Sequence[str] | None = None,
    ) -> "Mixture":
        """A mixture with given parameters, in the data's units.

        Parameters
        ----------
        weights : array-like of shape (K,)
            Share of each component; not negative, adding up to 1.
        means : array-like of shape (K, D)
        covariances : array-like
            (K, D, D), or the structure's natural shape: (K,) for EII and VII, (K, D) for EEI, EVI
            and VVI, (D, D) for EEE.
        structure : str, default='VVV'
            mclust letters or scikit-learn's name; the covariances must obey it.
        feature_names : sequence of str, optional

        Raises
        ------
        ParameterError
            If a shape, a weight or a covariance is not allowed.
        """
        shares = np.asarray(weights, dtype=np.float64)
        points = np.asarray(means, dtype=np.float64)
        if points.ndim != 2 or not np.isfinite(points).all():
            raise ParameterError.invalid_value("means", points.tolist(), "finite numbers of shape (K, D)")
        if shares.shape != (len(points),):
            raise ParameterError.wrong_shape("weights", shares.shape, (len(points),))
        if not (shares >= 0).all() or abs(float(shares.sum()) - 1.0) > 1e-6:
            raise ParameterError.invalid_value("weights", weights, "numbers of at least 0 that add up to 1")
        held = covariance_from_matrices(Structure.from_name(structure), np.asarray(covariances), *points.shape)
        names = None if feature_names is None else tuple(feature_names)
        if names is not None and len(names) != points.shape[1]:
            raise ParameterError.wrong_shape("feature_names", (len(names),), (points.shape[1],))
        if names is not None and len(set(names)) < len(names):
            raise ParameterError.invalid_value("feature_names", list(names), "different names")
        return cls(shares / shares.sum(), points, held, Frame.identity(points.shape[1]), names)

    @property
    def structure(self) -> Structure:
        return self.covariance.structure

    @property
    def n_components(self) -> int:
        return len(self.weights)

    @property
    def n_features(self) -> int:
        return int(self.centers.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: K - 1 weights, K D means, those of the covariance structure, and two of noise."""
        count = self.structure.n_mixture_parameters(self.n_components, self.n_features) - self.n_fixed_parameters
        return count if self.noise is None else count + N_NOISE_PARAMETERS

    @property
    def means(self) -> KD:
        """Component means (K, D) in the data's units."""
        return self.frame.restore_means(self.centers)

    @property
    def covariances(self) -> KDD:
        """Covariance matrices (K, D, D) in the data's units; UnrepresentableError if they overflow."""
        return self.frame.restore_covariances(self.covariance.matrices())

    @property
    def standard_deviations(self) -> KD:
        """Standard deviation of each column within each component (K, D), in the data's units.

        Representable even where variances are not.
        """
        inner = np.sqrt(np.diagonal(self.covariance.matrices(), axis1=1, axis2=2))
        with np.errstate(under="ignore"):
            return np.asarray(np.ldexp(inner, -self.frame.total_exponent))

    @property
    def precisions(self) -> KDD:
        """Inverse covariance matrices (K, D, D) in the data's units."""
        return self.frame.restore_precisions(self.covariance.precisions())

    @property
    def sklearn_covariances(self) -> Array:
        """The covariances in the shape scikit-learn gives its four structures."""
        return contract_covariances(self.structure, self.covariances)

    def __repr__(self) -> str:
        counts = [(self.n_components, "component"), (self.n_features, "feature")]
        said = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts]
        said += [self.structure.display_name] if self.noise is None else [self.structure.display_name, "noise"]
        return f"Mixture({', '.join(said)})"

    def component(self, k: int) -> Gaussian:
        """One of the bells, as a `Gaussian` in the data's units."""
        return Gaussian(self.means[k], self.covariances[k])

    def marginal(self, columns: Sequence[int]) -> "Mixture":
        """The mixture of some of the columns, whatever the others are."""
        kept = gaussian_algebra.parse_columns(columns, self.n_features)
        matrices = self.covariance.matrices()[:, kept[:, None], kept]
        names = None if self.feature_names is None else tuple(self.feature_names[j] for j in kept)
        # A part of a structured covariance need not obey the structure; VVV holds any.
        held = covariance_from_matrices(Structure.from_name("VVV"), matrices, self.n_components, len(kept))
        noise = None if self.noise is None else replace(self.noise, box=self.noise.box.select_columns(kept))
        return Mixture(self.weights, self.centers[:, kept], held, self.frame.select_columns(kept), names, noise)

    # -- what the solvers see -------------------------------------------------------------------

    def to_quadratics(self) -> Quadratics:
        """What the data sees of this mixture: offset = log weight - (D log 2 pi + log |covariance|) / 2."""
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights)
        constant = self.n_features * math.log(2.0 * math.pi) + self.covariance.log_determinants
        own = Quadratics(log_weights - 0.5 * constant, self.centers, self.covariance.precision_root)
        return own if self.noise is None else self.noise.append_to_quadratics(own)

    def m_step(self, moments: Moments, covariance_estimator: AbstractCovarianceEstimator) -> "Mixture":
        """The mixture that maximises the expected likelihood, within its own structure."""
        if covariance_estimator.structure != self.structure:
            found = str(covariance_estimator.structure)
            raise ParameterError.invalid_choice("covariance_estimator", found, [str(self.structure)])
        own = moments if self.noise is None else drop_noise(moments, covariance_estimator.moment_kind)
        if self.noise is not None and not own.mass.any():  # it has taken all rows, and there is nothing to describe
            return replace(self, weights=np.zeros_like(self.weights), noise=self.noise.m_step(moments))
        updated = mixture_from_moments(own, covariance_estimator, self.frame, self.feature_names, self.covariance)
        if self.noise is None:
            return updated
        noise = self.noise.m_step(moments)
        return replace(updated, weights=updated.weights * (1.0 - noise.weight), noise=noise)

    def permute_components(self, order: IntD) -> "Mixture":
        """The same mixture with its components in another order."""
        return replace(
            self,
            weights=self.weights[order],
            centers=self.centers[order],
            covariance=self.covariance.permute_components(order),
        )

    # -- what users ask ------------------------------------------------------------------------

    def logpdf(self, X: ArrayLike) -> N:
        """Natural logarithm of the density at each row (n, D), shape (n,)."""
        return prediction.frame_logpdf(*_scoring_inputs(self, X)) + self.frame.log_abs_det_jacobian

    def pdf(self, X: ArrayLike) -> N:
        """Density at each row (n, D), shape (n,), per unit of volume of the data."""
        return prediction.exp_with_overflow_check(self.logpdf(X))

    def predict_proba(self, X: ArrayLike) -> NK:
        """Soft assignment: the probability of each component for each row, (n, K); rows add up to 1.

        With noise its probability follows in one more column, (n, K + 1).
        """
        return prediction.responsibilities(*_scoring_inputs(self, X))

    def predict(self, X: ArrayLike) -> IntN:
        """Hard assignment: the most probable component of each row, (n,), counted from 0; -1 is noise."""
        labels = prediction.hard_labels(*_scoring_inputs(self, X))
        return labels if self.noise is None else noise_to_minus_one(labels, self.n_components)

    def uncertainty(self, X: ArrayLike) -> N:
        """One minus the probability of the most probable component, (n,): 0 is certain."""
        return prediction.uncertainty(self.predict_proba(X))

    def cdf(self, X: ArrayLike) -> N:
        """Probability of a value at or below each of X (n,); mixtures of one feature only."""
        if self.n_features != 1:
            raise ParameterError.wrong_n_features("cdf", self.n_features, 1)
        rows = self.frame.transform_rows(parse_rows(X, 1))
        deviations = np.sqrt(self.covariance.matrices()[:, 0, 0])
        total = prediction.univariate_cdf(rows, self.weights, self.centers[:, 0], deviations)
        return total if self.noise is None else total + self.noise.weight * self.noise.box.fraction_below(rows)[:, 0]

    def sample(self, n_samples: int, random_state: int | np.random.Generator | None = None) -> tuple[ND, IntN]:
        """``n`` rows (n, D) drawn from the mixture, grouped by component, and the component of each; -1 is noise."""
        parts = (self.weights, self.centers, self.covariance)
        if self.noise is None:
            rows, labels = sampling.sample_gaussians(*parts, n_samples, random_state)
        else:
            rows, labels = sampling.sample_with_noise(*parts, self.noise, n_samples, random_state)
        return self.frame.restore_means(rows), labels

    def save(self, path: str | PathLike[str]) -> None:
        """Write the mixture as a safetensors file: numbers and names, nothing that can run."""
        from gaussmix.model import serialization  # the archive knows mixtures, so it cannot be imported first

        serialization.save_mixture(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Mixture":
        """Read a mixture that `save` wrote, of any released schema; ArchiveError if it is not one."""
        from gaussmix.model import serialization

        return serialization.load_mixture(path)


def _scoring_inputs(mixture: Mixture, X: ArrayLike) -> tuple["Mixture", MemorySource, AutomaticEngine]:
    """What the mixture looks like to the rows, the rows, and who asks them."""
    rows = parse_rows(X, mixture.n_features, mixture.feature_names, keep_float32=True)
    if not len(rows):
        raise DataError.no_rows()
    return mixture, MemorySource.from_array(rows, frame=mixture.frame), AutomaticEngine(len(rows))


def mixture_from_moments(
    moments: Moments,
    covariance_estimator: AbstractCovarianceEstimator,
    frame: Frame,
    feature_names: tuple[str, ...] | None = None,
    previous: AbstractCovariance | None = None,
) -> Mixture:
    """The M-step, with the covariances before it; a start has none."""
    weights = moments.mass / moments.mass.sum()
    informed = covariance_estimator.with_prior(moments)  # the mass that makes weights knows of no prior
    return Mixture(weights, informed.mean, covariance_estimator.estimate(informed, previous), frame, feature_names)


def change_frame(mixture: Mixture, frame: Frame) -> Mixture:
    """The same distribution written in another frame; exact where the frames are equal."""
    old = mixture.frame
    parts = ("shrink_exponent", "center", "scale_exponent")
    if all(np.array_equal(getattr(old, part), getattr(frame, part)) for part in parts):
        return mixture
    centers = frame.transform_rows(mixture.means)
    held = rescale_columns(mixture.covariance, frame.total_exponent - old.total_exponent)
    noise = None if mixture.noise is None else replace(mixture.noise, box=mixture.noise.box.change_frame(old, frame))
    return replace(mixture, centers=centers, covariance=held, frame=frame, noise=noise)
