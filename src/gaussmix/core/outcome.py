"""How a fit ended, and the trace of its iterations."""

from dataclasses import dataclass
from enum import Enum

from gaussmix.types import Array


class Outcome(Enum):
    """The reason why a fit stopped; the value is the sentence shown to the user."""

    CONVERGED = "Converged: the last gain was below the tolerance."
    MAX_ITER_REACHED = "Reached max_iter before the gain fell below tol; increase max_iter or tol."
    PRUNED = (
        "The search stopped this candidate before it converged, because it could no longer win; "
        "its log-likelihood would have increased a little further."
    )
    ONLINE = (
        "Fitted online, chunk by chunk: more rows may follow. The log-likelihood is that of the last chunk "
        "before its update."
    )
    NOT_STARTED = "Not fitted (max_iter=0): these are the initial parameters."

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class IterationTrace:
    """Log-likelihood and seconds of each iteration.

    ``log_likelihoods`` are in the units of the data, before the update of the iteration. With a prior of the parameters
    they include its log density, up to a constant. ``seconds`` count from the start.
    """

    log_likelihoods: Array
    seconds: Array

    def __len__(self) -> int:
        return len(self.log_likelihoods)
