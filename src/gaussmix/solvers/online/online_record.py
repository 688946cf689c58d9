"""The record of a fit that goes on chunk by chunk."""

from dataclasses import replace

import numpy as np

from gaussmix.core.outcome import IterationTrace, Outcome
from gaussmix.errors.text import format_count
from gaussmix.model.noise import append_noise_weight
from gaussmix.solvers.fit_notes import collect_notes
from gaussmix.solvers.fit_record import Fit
from gaussmix.solvers.loop import RunResult
from gaussmix.solvers.online.online_em import OnlineStep

# The trace holds the last chunks only, so that its size does not grow with the data.
MAX_TRACE_CHUNKS = 1000


def convert_to_online_record(record: Fit) -> Fit:
    """Return the record of a fit to the first chunk, as that of an online fit.

    The trace of an online fit has log-likelihoods of chunks, without the density of a prior.
    """
    log_likelihoods = record.trace.log_likelihoods[-1:]
    if record.log_prior is not None:
        log_likelihoods = np.array([record.log_likelihood])
    trace = IterationTrace(log_likelihoods, record.trace.seconds[-1:])
    return replace(record, outcome=Outcome.ONLINE, trace=trace, log_prior=None)


def online_record_after_chunk(record: Fit, step: OnlineStep, seconds: float) -> Fit:
    """Return the record after a chunk, whose log-likelihood and entropy are those of that chunk before its step."""
    mixture, state, expectation = step.mixture, step.state, step.expectation
    log_likelihood = step.mean_log_likelihood * step.chunk.total_weight
    seconds_before = record.trace.seconds[-1:].sum()
    trace = IterationTrace(
        np.append(record.trace.log_likelihoods, log_likelihood)[-MAX_TRACE_CHUNKS:],
        np.append(record.trace.seconds, seconds_before + seconds)[-MAX_TRACE_CHUNKS:],
    )
    masses = state.total_weight * append_noise_weight(mixture.weights, mixture.noise)[: mixture.n_components]
    all_rows = replace(step.chunk, total_moments=state.total_moments, column_range=state.column_range)
    notes = collect_notes(all_rows, masses, RunResult(mixture, trace, Outcome.ONLINE))
    chunks = format_count(state.n_chunks, "chunk")
    return replace(
        record,
        outcome=Outcome.ONLINE,
        trace=trace,
        log_likelihood=log_likelihood,
        mean_log_likelihood=step.mean_log_likelihood,
        entropy=expectation.entropy,
        seconds=record.seconds + seconds,
        mixture=mixture,
        masses=masses,
        fraction_computed=expectation.fraction_of_distances_computed,
        notes=(f"The fit has learned from {chunks} of total weight {state.total_weight:.10g}.", *notes),
    )
