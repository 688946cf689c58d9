"""``AbstractDensity``: a probability distribution with SciPy's names for its density."""

from abc import ABC, abstractmethod

from gaussmix.model import prediction
from gaussmix.types import ArrayLike, N


class AbstractDensity(ABC):
    """A distribution over the rows of a table; subclasses implement ``logpdf``."""

    @abstractmethod
    def logpdf(self, X: ArrayLike) -> N:
        """Return the natural logarithm of the density at each row of X (n, D), shape (n,)."""

    def pdf(self, X: ArrayLike) -> N:
        """Return the density at each row of X (n, D), shape (n,), per unit of volume of the data.

        The noise component of a `Mixture` has the same density everywhere, see `Mixture.logpdf`.

        Raises
        ------
        UnrepresentableError
            If a density overflows; use ``logpdf`` instead.
        """
        return prediction.exp_raising_on_overflow(self.logpdf(X), "logpdf")
