"""Probabilities for rows among which the classes are more or less frequent than among the training rows.

If only the class frequencies have changed, and not the rows within a class, new rows have the density
sum_c prior[c] f_c(x), and a trained classifier gives the ratios f_c / f_d from its probabilities. The new prior follows
by maximum likelihood, and the probabilities by Bayes' rule (Saerens, Latinne & Decaestecker, Neural Computation 14,
2002).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from gaussmix.classification.evaluation.class_tables import parse_class_table, parse_prior
from gaussmix.core.input_arrays import parse_weights
from gaussmix.core.linalg import inverse
from gaussmix.errors import ParameterError, PriorError
from gaussmix.errors.text import join_with_and
from gaussmix.types import DD, NK, Array, ArrayLike, IntK, K, N

_MAX_ITER, _TOLERANCE = 10_000, 1e-12  # the tolerance bounds the change of each prior probability by an EM step
_MAX_CLEAR_STANDARD_ERROR = 0.05  # above it, a 95% interval is wider than a fifth
_AT_ZERO = 1e-9
_NEGLIGIBLE = 1e-13
_MAX_RELATIVE_FALL = 0.99  # of a prior probability in one Newton step
_MAX_VARIANCE = 1e6  # of a frequency: beyond it, only rounding distinguishes the classes
_ROUNDING_PER_ROW = 1e-12  # of a log-likelihood


@dataclass(frozen=True, eq=False, repr=False)
class PriorEstimate:
    """The result of `estimate_prior`; ``print`` shows it, with notes.

    Attributes
    ----------
    prior : ndarray of shape (K,)
        Class frequencies among the new rows. For two classes, the positive class is the second.
    standard_errors : ndarray of shape (K,)
        From the observed information; they do not contain errors of the classifier.
    training_prior : ndarray of shape (K,)
    equivalent_labels : ndarray of shape (K,)
        Rows whose known classes would give as small a standard error, prior (1 - prior) / standard error^2. The more
        the classes overlap, the fewer they are.
    p_value_unchanged : float
        Of the likelihood ratio test that the prior is that of the training rows.
    n_iter : int
    class_names : tuple of str
        What sentences call the classes: "class 'yes'", or 'class 1' if no names were given.
    notes : tuple of str
        What limits the estimate: classes that overlap too much, classes without rows.
    """

    prior: K
    standard_errors: K
    training_prior: K
    equivalent_labels: K
    p_value_unchanged: float
    n_iter: int
    class_names: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Return the prior with its standard errors, and the notes."""
        found = zip(self.class_names, self.prior, self.standard_errors, strict=True)
        shown = ", ".join(f"{name} {value:.4f} ± {error:.4f}" for name, value, error in found)
        return " ".join([f"Prior {shown} (unchanged: p = {self.p_value_unchanged:.3g}).", *self.notes])


def estimate_prior(
    p: ArrayLike,
    training_prior: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    class_names: Sequence[object] | None = None,
) -> PriorEstimate:
    """Return the class frequencies among new rows without labels.

    Parameters
    ----------
    p : array-like of shape (n,) or (n, K)
        Probabilities of the new rows by the trained classifier: of the positive class, or of all classes. They must be
        calibrated for the training prior.
    training_prior : float or array-like of shape (K,)
        Class frequencies among the training rows; for two classes also that of the positive class alone.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1. Only their ratios matter.
    class_names : sequence of K objects, optional
        Names of the classes, for sentences. Default: 0, 1, ...

    Returns
    -------
    PriorEstimate

    Raises
    ------
    DataError, ParameterError
        If a number is no probability, there is not one name for each class, or the probabilities do not distinguish two
        of the classes.

    References
    ----------
    Saerens, Latinne & Decaestecker, Neural Computation 14 (2002), equation 2.9 and section 2.4.
    """
    table = parse_class_table(p).probabilities
    prior = parse_prior("training_prior", training_prior, table.shape[1], is_zero_allowed=False)
    weights = parse_weights(sample_weight, len(table))
    weights = np.ones(len(table)) if weights is None else weights
    table, weights = table[weights > 0], weights[weights > 0]
    # The information of weighted rows is that of their effective number.
    scaled_weights = weights * (weights.sum() / (weights @ weights))
    return _estimate(_LabelShift(table / prior, scaled_weights), prior, _parse_class_names(class_names, len(prior)))


def _parse_class_names(class_names: Sequence[object] | None, n_classes: int) -> tuple[str, ...]:
    """Return one name per class; raise ParameterError unless there are as many as classes."""
    if class_names is None:
        return tuple(f"class {c}" for c in range(n_classes))
    if len(class_names) != n_classes:
        raise ParameterError.wrong_shape("class_names", (len(class_names),), (n_classes,))
    return tuple(f"class {name!r}" for name in class_names)


def adjust_probabilities(p: ArrayLike, training_prior: ArrayLike, new_prior: ArrayLike | PriorEstimate) -> Array:
    """Return the probabilities of rows for a changed prior of the classes, in the shape of ``p``.

    Parameters
    ----------
    p : array-like of shape (n,) or (n, K)
        Probabilities by the trained classifier: of the positive class, or of all classes.
    training_prior : float or array-like of shape (K,)
        Class frequencies among the training rows; for two classes also that of the positive class alone.
    new_prior : PriorEstimate, float or array-like of shape (K,)
        Class frequencies among the new rows: known ones, or those of `estimate_prior`. Zero is allowed.

    Raises
    ------
    DataError, ParameterError
        If a number is no probability, or a row belongs only to classes whose new prior is zero.

    References
    ----------
    Saerens, Latinne & Decaestecker, Neural Computation 14 (2002), equation 2.4.
    """
    table, is_binary_column = parse_class_table(p)
    prior = parse_prior("training_prior", training_prior, table.shape[1], is_zero_allowed=False)
    values = new_prior.prior if isinstance(new_prior, PriorEstimate) else new_prior
    target = parse_prior("new_prior", values, table.shape[1], is_zero_allowed=True)
    joint = table * (target / prior)
    totals = joint.sum(axis=1)
    if not (totals > 0).all():
        raise PriorError.impossible_row(int(np.argmin(totals > 0)))
    adjusted = joint / totals[:, None]
    return np.asarray(adjusted[:, 1] if is_binary_column else adjusted)


class _LabelShift(NamedTuple):
    """Likelihood ratios (n, K) of the classes in each row, and row weights (n,) whose sum is the effective count."""

    ratios: NK
    weights: N

    def log_likelihood(self, prior: K) -> float:
        """Return the log-likelihood of a prior, up to a constant."""
        return float(self.weights @ np.log(self.ratios @ prior))

    def em_step(self, prior: K) -> K:
        """Return the mean of the posterior probabilities of the classes."""
        posteriors = self.ratios * prior
        posteriors /= posteriors.sum(axis=1, keepdims=True)
        return np.asarray(self.weights @ posteriors / self.weights.sum())

    def newton_step(self, prior: K) -> K | None:
        """Return the prior after a Newton step, shortened to stay positive, or None if the information is singular.

        It leaves negligible classes alone; EM raises them if their rows need them.
        """
        active = np.flatnonzero(prior > _NEGLIGIBLE)
        covariance = self.covariance(prior, active)
        if covariance is None:
            return None
        step = covariance @ (self.weights @ self.density_ratios(prior)[:, active])
        largest_fall = float((-step / prior[active]).max())
        length = min(1.0, _MAX_RELATIVE_FALL / largest_fall) if largest_fall > 0.0 else 1.0
        stepped = prior.copy()
        stepped[active] += length * step
        return stepped

    def density_ratios(self, prior: K) -> NK:
        """Return the density of each class divided by that of the mixture, (n, K)."""
        return np.asarray(self.ratios / (self.ratios @ prior)[:, None])

    def covariance(self, prior: K, classes: IntK) -> DD | None:
        """Return the inverse of the observed information of the prior of some classes (m,), of constant sum, (m, m).

        Returns None if it is singular.
        """
        reference = int(prior[classes].argmax())
        basis = np.delete(np.eye(len(classes)), reference, axis=1)  # more of one class, less of the reference class
        basis[reference] = -1.0
        differences = self.density_ratios(prior)[:, classes] @ basis
        inverted = inverse((differences * self.weights[:, None]).T @ differences)
        if inverted is None or not _are_variances(np.diagonal(inverted)):
            return None
        return np.asarray(basis @ inverted @ basis.T)


def _are_variances(values: N) -> bool:
    """Return whether all values can be variances of a frequency that the rows say something about."""
    return bool(((values > 0.0) & (values < _MAX_VARIANCE)).all())


def _estimate(problem: _LabelShift, training_prior: K, class_names: tuple[str, ...]) -> PriorEstimate:
    """Return the prior of largest likelihood with its standard errors."""
    classes = np.arange(len(training_prior))
    if problem.covariance(training_prior, classes) is None:
        raise PriorError.indistinguishable()
    prior, n_iter = _maximize(problem, training_prior)
    covariance = problem.covariance(prior, classes)
    if covariance is None:
        raise PriorError.indistinguishable()
    variances = np.maximum(np.diagonal(covariance), 0.0)
    gain = max(problem.log_likelihood(prior) - problem.log_likelihood(training_prior), 0.0)
    equivalent_labels = prior * (1.0 - prior) / np.maximum(variances, np.finfo(np.float64).tiny)
    return PriorEstimate(
        prior=prior,
        standard_errors=np.sqrt(variances),
        training_prior=training_prior,
        equivalent_labels=equivalent_labels,
        p_value_unchanged=float(chdtrc(len(prior) - 1, 2.0 * gain)),
        n_iter=n_iter,
        class_names=class_names,
        notes=_describe_limits(prior, np.sqrt(variances), equivalent_labels, n_iter, class_names),
    )


def _maximize(problem: _LabelShift, start: K) -> tuple[K, int]:
    """Return the fixed point of EM and the number of its iterations, each with a Newton step where that is better."""
    prior, rounding = start, _ROUNDING_PER_ROW * float(problem.weights.sum())
    for n_iter in range(1, _MAX_ITER + 1):
        em_prior = problem.em_step(prior)
        if np.abs(em_prior - prior).max() <= _TOLERANCE:
            return em_prior, n_iter
        newton_prior = problem.newton_step(em_prior)
        is_better = newton_prior is not None and (
            problem.log_likelihood(newton_prior) >= problem.log_likelihood(em_prior) - rounding
        )
        prior = newton_prior if newton_prior is not None and is_better else em_prior
    return prior, _MAX_ITER


def _describe_limits(
    prior: K, standard_errors: K, equivalent_labels: K, n_iter: int, class_names: tuple[str, ...]
) -> tuple[str, ...]:
    """Return sentences on what limits an estimate."""
    notes = []
    worst = int(standard_errors.argmax())
    if standard_errors[worst] > _MAX_CLEAR_STANDARD_ERROR:
        notes.append(
            "The classes overlap too much, or the rows are too few, for a sharp estimate: that of "
            f"{class_names[worst]} is worth {equivalent_labels[worst]:.3g} labelled rows."
        )
    at_zero = [class_names[c] for c in np.flatnonzero(prior < _AT_ZERO)]
    if at_zero:
        notes.append(
            f"No row needs {join_with_and(at_zero)}: the estimate is 0, and its standard error is an upper bound."
        )
    if n_iter == _MAX_ITER:
        notes.append(f"EM was stopped after {_MAX_ITER} iterations.")
    return tuple(notes)
