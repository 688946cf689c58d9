"""``Mixture``: a mixture of Gaussians, with or without a noise component."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.input_arrays import parse_rows
from gaussmix.core.moments import Moments
from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.statistics import Statistics
from gaussmix.covariance import (
    AbstractCovariance,
    AbstractCovarianceEstimator,
    Structure,
    covariance_from_matrices,
)
from gaussmix.errors import DataError, ParameterError
from gaussmix.model import prediction, sampling, serialization
from gaussmix.model.column_dependence import require_independent_columns
from gaussmix.model.density import AbstractDensity
from gaussmix.model.gaussian import Gaussian
from gaussmix.model.marginals import conditional_of_other_columns, marginal_of_columns
from gaussmix.model.mixture_parameters import MixtureParameters
from gaussmix.model.mixture_product import MixtureProduct, multiply_mixtures
from gaussmix.model.noise import drop_noise_moments, relabel_noise_as_minus_one
from gaussmix.model.prediction import make_scoring_arguments, parse_and_transform_rows
from gaussmix.model.validation import (
    parse_columns,
    parse_feature_names,
    parse_known_values,
    parse_weights_and_means,
    require_instance,
)
from gaussmix.types import ND, NK, ArrayLike, IntK, IntN, N


@dataclass(frozen=True, eq=False, repr=False)
class Mixture(MixtureParameters, AbstractDensity):
    """A mixture of K Gaussians in D dimensions, with or without a noise component; immutable.

    Do not call the constructor: its arguments are in working coordinates. Make a mixture from parameters in the data's
    units with `Mixture.from_parameters`, or fit one with `GaussianMixture`, which stores it
    as ``model_``. ``means``, ``covariances`` and ``precisions`` are in the data's units; ``centers`` and
    ``covariance`` are in the working coordinates of ``frame``.
    """

    @classmethod
    def from_parameters(
        cls,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        structure: str = "VVV",
        feature_names: Sequence[str] | None = None,
    ) -> "Mixture":
        """Make a mixture from parameters in the data's units.

        Parameters
        ----------
        weights : array-like of shape (K,)
            Weights that are not negative and add up to 1.
        means : array-like of shape (K, D)
        covariances : array-like
            Shape (K, D, D), or the shape of scikit-learn's ``covariances_``: (K,) for EII and VII, (K, D) for
            EEI, EVI and VVI, (D, D) for EEE.
        structure : str, default='VVV'
            mclust's letters or scikit-learn's name. The covariances must have this structure up to rounding, which is
            that of float32 if float32 holds all their digits.
        feature_names : sequence of str, optional

        Raises
        ------
        ParameterError
            If a shape, a weight or a covariance is not allowed.
        """
        component_weights, component_means = parse_weights_and_means(weights, means)
        n_components, n_features = component_means.shape
        covariance = covariance_from_matrices(
            Structure.from_name(structure),
            parse_finite_numbers("covariances", covariances),
            n_components,
            n_features,
            component_means,
        )
        names = parse_feature_names(feature_names, n_features)
        return cls(component_weights, component_means, covariance, Frame.identity(n_features), names)

    @property
    def components(self) -> tuple[Gaussian, ...]:
        """The K Gaussians in the data's units, or of the transformed columns, without their weights."""
        return tuple(map(Gaussian, self.means, self.covariances))

    def logpdf(self, X: ArrayLike) -> N:
        """Return the natural logarithm of the density at each row of X (n, D), in the data's units, shape (n,).

        It is minus infinity outside the domain of a transform. Noise has the density 1 / volume everywhere, also
        outside the box of `cdf` and `sample`, so that the density with noise does not integrate to 1.
        """
        if self.transforms is None:
            model, source, engine = make_scoring_arguments(self, X)
            log_jacobians = self.frame.log_jacobians_of_rows(source.rows)
            return prediction.logpdf_in_frame_units(model, source, engine) + log_jacobians
        rows = parse_rows(X, self.n_features, self.feature_names, allow_missing=True)
        log_jacobians = self.transforms.log_abs_det_jacobian(rows, self.independent_columns)
        return replace(self, transforms=None).logpdf(self.transforms.forward_inside_domain(rows)) + log_jacobians

    def predict_proba(self, X: ArrayLike) -> NK:
        """Return the probability of each component for each row of X (n, D), shape (n, K).

        With noise, its probability is the last column, (n, K + 1). Rows add up to 1.
        """
        return prediction.responsibilities(*make_scoring_arguments(self, X))

    def predict(self, X: ArrayLike) -> IntN:
        """Return the most probable component of each row of X (n, D), shape (n,); -1 is noise."""
        labels = prediction.hard_labels(*make_scoring_arguments(self, X))
        return labels if self.noise is None else relabel_noise_as_minus_one(labels, self.n_components)

    def uncertainty(self, X: ArrayLike) -> N:
        """Return one minus the probability of the most probable component of each row of X (n, D), shape (n,)."""
        return prediction.uncertainty(self.predict_proba(X))

    def cdf(self, X: ArrayLike) -> N:
        """Return the probability that every column is at most the value in each row of X (n, D), shape (n,).

        Exact in one dimension, to about 1e-5 in more (see `Gaussian.cdf`). Noise is uniform over its box, although
        `pdf` is the same outside of it: a row far from all groups is noise.
        """
        require_independent_columns(self, "cdf")
        rows = self.frame.transform_rows(parse_and_transform_rows(self, X))
        if not len(rows):
            raise DataError.no_rows()
        matrices = self.covariance.matrices()
        if self.n_features == 1:
            deviations = np.sqrt(matrices[:, 0, 0])
            probabilities = prediction.univariate_mixture_cdf(rows, self.weights, self.centers[:, 0], deviations)
        else:
            gaussians = map(Gaussian, self.centers, matrices)
            probabilities = np.column_stack([gaussian.cdf(rows) for gaussian in gaussians]) @ self.weights
        if self.noise is None:
            return probabilities
        return np.asarray(
            probabilities + self.noise.weight * self.noise.box.side_fractions_at_or_below(rows).prod(axis=1)
        )

    def sample(self, n_samples: int, random_state: int | np.random.Generator | None = None) -> tuple[ND, IntN]:
        """Draw random rows; return them (n_samples, D) with their components (n_samples,), sorted by component.

        Rows of the noise component have the label -1 and come last.

        Raises
        ------
        ParameterError
            If ``n_samples`` is not a positive integer.
        """
        parameters = (self.weights, self.centers, self.covariance)
        if self.noise is None:
            rows, labels = sampling.sample_gaussians(*parameters, n_samples, random_state)
        else:
            rows, labels = sampling.sample_gaussians_and_noise(*parameters, self.noise, n_samples, random_state)
        return self.restore_points(rows), labels

    # -- other mixtures ------------------------------------------------------------------------

    def marginal(self, columns: Sequence[int | str]) -> "Mixture":
        """Return the marginal mixture of some columns, by position or name.

        Raises
        ------
        ParameterError
            If a column does not exist or is given twice.
        DependenceError
            If the columns are linearly dependent.
        """
        positions = parse_columns(columns, self.n_features, self.feature_names)
        return marginal_of_columns(self, positions)

    def conditional(self, known_columns: Sequence[int | str], values: ArrayLike) -> "Mixture":
        """Return the conditional mixture of the other columns, given ``values`` of the known columns.

        Its components are the conditionals of the components; its weights are the probabilities of the
        components given the known values. The noise component stays uniform.

        Parameters
        ----------
        known_columns : sequence of int or str
            Positions or names of the known columns.
        values : array-like of shape (len(known_columns),)
            Their values, in the same order.

        Raises
        ------
        ParameterError
            If a column does not exist or is given twice, all columns are known, or the values are not one finite
            number for each known column.
        DependenceError
            If the mixture has linearly dependent columns.
        """
        require_independent_columns(self, "conditional")
        known = parse_columns(known_columns, self.n_features, self.feature_names, "known_columns")
        point = parse_known_values(values, len(known))[None]
        probabilities = self.marginal(known.tolist()).predict_proba(point)[0]
        return conditional_of_other_columns(self, known, point, probabilities)

    def product(self, other: "Mixture") -> MixtureProduct["Mixture"]:
        """Return the normalized product of the two densities, and the natural log of the integral of their product.

        Every pair of components gives a component. The noise has a constant density everywhere: multiplied by
        a Gaussian it gives that Gaussian, and the product of two noise components counts with the smaller box.

        Raises
        ------
        ParameterError
            If the mixtures have different columns, or transformed ones.
        UnrepresentableError
            If they lie so far apart, about 1e150 standard deviations, that the integral has no logarithm.
        DependenceError
            If a mixture has linearly dependent columns.
        """
        require_instance("other", other, Mixture, "a Mixture")
        return multiply_mixtures(self, other)

    def m_step(self, statistics: Statistics, covariance_estimator: AbstractCovarianceEstimator) -> "Mixture":
        """Return the mixture after an M-step: of the same structure and frame, and of maximum expected likelihood."""
        if covariance_estimator.structure != self.structure:
            structure = str(covariance_estimator.structure)
            raise ParameterError.invalid_choice("covariance_estimator", structure, [str(self.structure)])
        moments = statistics.moments
        if self.noise is None:
            return mixture_from_moments(moments, covariance_estimator, self.frame, self.feature_names, self.covariance)
        noise = self.noise.m_step(moments)
        component_moments = drop_noise_moments(moments, covariance_estimator.moment_kind)
        if not component_moments.mass.any():  # all rows belong to the noise, so that the Gaussians keep their shape
            return replace(self, weights=np.zeros_like(self.weights), noise=noise)
        mixture = mixture_from_moments(
            component_moments, covariance_estimator, self.frame, self.feature_names, self.covariance
        )
        return replace(mixture, weights=mixture.weights * (1.0 - noise.weight), noise=noise)

    def permute_components(self, order: IntK) -> "Mixture":
        """Return the mixture whose component k is component ``order[k]`` of this one; itself if none moves."""
        if np.array_equal(order, np.arange(self.n_components)):
            return self
        return replace(
            self,
            weights=self.weights[order],
            centers=self.centers[order],
            covariance=self.covariance.permute_components(order),
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write the mixture to a safetensors file, which contains numbers and names and no code."""
        serialization.save_parameters(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Mixture":
        """Read a mixture from a file that `save` wrote in any released version.

        Raises
        ------
        FileError
            If there is no such file, or it cannot be read.
        ArchiveError
            If the file is not a gaussmix model, is damaged or has a newer schema.
        """
        return serialization.load_parameters(path, cls)


def mixture_from_moments(
    moments: Moments,
    covariance_estimator: AbstractCovarianceEstimator,
    frame: Frame,
    feature_names: tuple[str, ...] | None = None,
    previous_covariance: AbstractCovariance | None = None,
    covariance: AbstractCovariance | None = None,
) -> Mixture:
    """Return the mixture after an M-step; its covariance is ``covariance`` if that is already known."""
    weights = moments.mass / moments.mass.sum()  # the prior does not change the weights
    with_prior = covariance_estimator.with_prior(moments)
    covariance = covariance or covariance_estimator.estimate(with_prior, previous_covariance)
    return Mixture(weights, with_prior.mean, covariance, frame, feature_names)
