"""Packed rows are found again by the same objects only, and die with their rows."""

import gc
from threading import Thread
from weakref import ref

import numpy as np

from gaussmix.engines.compiled.row_cache import PackedRowCache
from gaussmix.kernels.packed_arguments import PackedArguments, pack_arguments


def test_the_same_objects_are_packed_once_in_a_thread() -> None:
    cache, rows, weights = PackedRowCache(), np.ones((3, 2)), np.ones(3)
    packed: list[PackedArguments] = []

    def pack() -> PackedArguments:
        packed.append(pack_arguments((rows.copy(),)))
        return packed[-1]

    first = cache.get_or_pack(rows, (weights,), pack)
    assert cache.get_or_pack(rows, (weights,), pack) is first
    for changed in ((rows, (weights.copy(),)), (rows, (None,)), (rows.copy(), (weights,))):
        assert cache.get_or_pack(*changed, pack) is not first
    assert len(packed) == 4
    thread = Thread(target=lambda: cache.get_or_pack(rows, (None,), pack))
    thread.start()
    thread.join()
    assert len(packed) == 5


def test_packed_rows_die_with_their_rows() -> None:
    cache, rows = PackedRowCache(), np.ones((3, 2))
    copies = [rows.copy()]
    alive = ref(copies[0])
    cache.get_or_pack(rows, (), lambda: pack_arguments((copies.pop(),)))
    gc.collect()
    assert alive() is not None
    del rows
    gc.collect()
    assert alive() is None
