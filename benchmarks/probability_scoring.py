"""Measure predicted probabilities in the same way for every library, with standard errors and paired differences.

The area under the ROC curve has the standard error of DeLong, DeLong & Clarke-Pearson (Biometrics 44, 1988), which
comes from the placements of the rows. Brier score and log-loss are means over the rows. Standard errors concern the
rows that are scored; they leave out that another training sample would give another model.
"""

from dataclasses import dataclass

import numpy as np

N_CALIBRATION_BINS = 10
_N_SIMULATIONS = 200


@dataclass(frozen=True)
class RowTerms:
    """Terms (n,) whose mean is a measure, and the strata (n,) in which they are averaged."""

    terms: np.ndarray
    strata: np.ndarray

    def __sub__(self, other: "RowTerms") -> "RowTerms":
        return RowTerms(self.terms - other.terms, self.strata)

    def mean(self) -> float:
        """Return the mean over the strata."""
        return float(np.mean([self.terms[self.strata == stratum].mean() for stratum in np.unique(self.strata)]))

    def standard_error(self) -> float:
        """Return the root of the summed variances of the stratum means."""
        parts = [self.terms[self.strata == stratum] for stratum in np.unique(self.strata)]
        return float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts)))


def compute_placements(is_positive: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return for each row (n,) the fraction of rows of the other class that are on the right side of it.

    Equal probabilities count one half. The mean of either class is the area under the ROC curve.
    """
    negatives, positives = np.sort(p[~is_positive]), np.sort(p[is_positive])
    below = (np.searchsorted(negatives, p, "left") + np.searchsorted(negatives, p, "right")) / (2 * len(negatives))
    above = 1.0 - (np.searchsorted(positives, p, "left") + np.searchsorted(positives, p, "right")) / (
        2 * len(positives)
    )
    return np.where(is_positive, below, above)


def compute_row_terms(is_positive: np.ndarray, p: np.ndarray) -> dict[str, RowTerms]:
    """Return the terms of the measures that have a standard error."""
    right = np.where(is_positive, p, 1.0 - p)
    smallest = np.finfo(np.float64).eps  # scikit-learn's log_loss clips here, too
    one_stratum = np.zeros(len(p), dtype=bool)
    return {
        "auc": RowTerms(compute_placements(is_positive, p), is_positive),
        "brier": RowTerms((1.0 - right) ** 2, one_stratum),
        "log_loss": RowTerms(-np.log(np.clip(right, smallest, 1.0)), one_stratum),
    }


def average_row_terms(several: list[dict[str, RowTerms]]) -> dict[str, RowTerms]:
    """Return the terms averaged over several predictions of the same rows."""
    return {
        name: RowTerms(np.mean([each[name].terms for each in several], axis=0), first.strata)
        for name, first in several[0].items()
    }


def calibration_error(is_positive: np.ndarray, p: np.ndarray) -> float:
    """Return the mean distance of mean probability and rate over 10 bins of equal count, weighted by the counts."""
    order = np.argsort(p, kind="stable")
    gaps = (p - is_positive)[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, N_CALIBRATION_BINS)) / len(p))


def expected_calibration_error(p: np.ndarray, seed: int = 0) -> float:
    """Return the mean calibration error that these probabilities have where they are exactly right."""
    rng = np.random.default_rng([seed, len(p)])  # no stream that may have drawn the probabilities
    return float(np.mean([calibration_error(rng.random(len(p)) < p, p) for _ in range(_N_SIMULATIONS)]))


def measure_probabilities(is_positive: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Return the measures that have no standard error here."""
    from sklearn.metrics import average_precision_score

    return {
        "average_precision": float(average_precision_score(is_positive, p)),
        "calibration_error": calibration_error(is_positive, p),
        "calibration_error_if_right": expected_calibration_error(p),
    }
