"""How a fit ended, as a value with a sentence in it, and the trace it left behind."""

from dataclasses import dataclass
from enum import Enum

from gaussmix.types import Array


class Outcome(Enum):
    """Why the passes over the data stopped; the value is the sentence shown to the user."""

    CONVERGED = "The last pass gained less than the tolerance: the fit has converged."
    MAX_ITER_REACHED = (
        "The passes were used up while each still gained no less than the tolerance; raise max_iter or tol."
    )
    PRUNED = (
        "The search left this candidate before it had converged, since it could no longer win; "
        "its log-likelihood would have risen a little further."
    )
    ONLINE = (
        "Fitted online, chunk by chunk: more rows may follow, and the log-likelihood is that of the last chunk "
        "before its step."
    )
    NOT_STARTED = "No pass was asked for (max_iter=0): these are the starting values."

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class IterationTrace:
    """Per pass: total log-likelihood (data units, before the pass's update) and seconds since the start."""

    log_likelihoods: Array
    seconds: Array

    def __len__(self) -> int:
        return len(self.log_likelihoods)
