"""``PackedRowCache``: rows that several runs use are packed once, and what was packed dies with them."""

import threading
from collections.abc import Callable
from weakref import ref

from gaussmix.kernels.packed_arguments import PackedArguments
from gaussmix.types import ND


class PackedRowCache(threading.local):
    """The packed rows of a thread.

    They map the identity of rows to a weak reference to them, the other arguments, and the packed rows. An entry lives
    as long as its rows, so what is packed must not hold them.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ref[ND], tuple[object, ...], PackedArguments]] = {}

    def get_or_pack(self, rows: ND, others: tuple[object, ...], pack: Callable[[], PackedArguments]) -> PackedArguments:
        """Return what was packed of the same objects; if there is none, pack them.

        Parameters
        ----------
        rows : ndarray of shape (n, D)
            Nobody may change them, nor the other arguments.
        others : tuple
            What is packed besides the rows, such as weights.
        pack : callable
            Packs rows and other arguments.
        """
        entries, key = self._entries, id(rows)
        entry = entries.get(key)
        if entry is not None and entry[0]() is rows and all(map(lambda a, b: a is b, entry[1], others)):
            return entry[2]
        packed = pack()
        entries[key] = ref(rows, lambda _: entries.pop(key, None)), others, packed
        return packed
