"""Share the chunks of an E-step among threads: one thread leads, others may help.

The leader opens a pass with a ticket, and all threads take chunks from it by one atomic addition. A ticket is
the number of the pass times TICKETS_PER_PASS, plus the next chunk. So a thread that comes late takes a chunk of the
current pass, or none. The leader never depends on helpers that have not started, and waits only for chunks that a
helper has taken. All waiting is bounded: then Python waits.
"""

from gaussmix.kernels.codegen.atomics import add_atomically, load_atomically, pause, store_atomically
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.fused.e_step import accumulate_chunk, finish_e_step, prepare_e_step

# Indices of ``control``. The first two are shared, each in a cache line of its own; the others are the leader's.
TICKET, N_DONE = 0, 8
N_PASSES, IS_PASS_OPEN, HAS_STARTED, LAST_RESULT = 16, 17, 18, 19

# A ticket below zero ends the run. Chunks are fewer than half of TICKETS_PER_PASS.
TICKETS_PER_PASS = 1 << 20

# Looks at the ticket before a thread returns to Python; each takes some 20 ns.
MAX_SPINS = 3000

# What helpers return.
RUN_ENDED, IDLE = 0, 1


@kernel
def _take_chunks(state, is_diagonal):
    """Take and sum chunks of the open pass until none is left."""
    n_chunks = state.chunk_sums.shape[0]
    while True:
        ticket = load_atomically(state.control, TICKET)
        if ticket < 0 or ticket % TICKETS_PER_PASS >= n_chunks:
            return
        ticket = add_atomically(state.control, TICKET, 1)
        if ticket < 0 or ticket % TICKETS_PER_PASS >= n_chunks:
            return
        accumulate_chunk(state, ticket % TICKETS_PER_PASS, is_diagonal)
        add_atomically(state.control, N_DONE, 1)


@entry_point
def help_fused_run(state, is_diagonal):
    """Sum chunks until the run has ended (return RUN_ENDED), or until there was none for a while (return IDLE)."""
    n_spins = 0
    while n_spins < MAX_SPINS:
        ticket = load_atomically(state.control, TICKET)
        if ticket < 0:
            return RUN_ENDED
        if ticket % TICKETS_PER_PASS < state.chunk_sums.shape[0]:
            _take_chunks(state, is_diagonal)
            n_spins = 0
        n_spins += 1
        pause()
    return IDLE


@kernel
def e_step(state, is_diagonal):
    """Make an E-step with all threads; return whether it is complete. If not, call it again."""
    control = state.control
    if control[IS_PASS_OPEN] == 0:
        prepare_e_step(state)
        control[N_PASSES] += 1
        control[IS_PASS_OPEN] = 1
        store_atomically(control, N_DONE, 0)
        store_atomically(control, TICKET, control[N_PASSES] * TICKETS_PER_PASS)
    _take_chunks(state, is_diagonal)
    n_spins = 0
    while load_atomically(control, N_DONE) < state.chunk_sums.shape[0]:
        n_spins += 1
        if n_spins > MAX_SPINS:
            return False
        pause()
    control[IS_PASS_OPEN] = 0
    finish_e_step(state, is_diagonal)
    return True
