"""Tuples of arrays inside compiled code: a pointer to their words, from which an item is read where it is used.

Numba's own tuples would be taken apart and put together again, some hundred numbers, at every call of one
kernel by another: most of what is compiled would be that.
"""

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import lower_getattr_generic, models, register_model

from gaussmix.engines.kernels.compiled import values

_WORD = ir.IntType(64)
_NUMBERS = {"d": types.float64, "f": types.float32, "q": types.int64, "b": types.boolean}


class TupleType(types.Type):
    """The compiled type of one of the tuples of ``values``: the first word and the type of each item."""

    def __init__(self, layout):
        name, *items = layout.split()
        super().__init__(name=f"{name}_{''.join(items)}")
        self.items, place = {}, 0
        for field, item in zip(getattr(values, name)._fields, items, strict=True):
            self.items[field] = (place, item_type(item))
            place += 1 + int(item[1:] or 0)


@register_model(TupleType)
class _TupleModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _WORD.as_pointer())


@infer_getattr
class _TupleItems(AttributeTemplate):
    key = TupleType

    def generic_resolve(self, kind, name):
        return kind.items[name][1] if name in kind.items else None


@lower_getattr_generic(TupleType)
def _read_item(context, builder, kind, words, name):
    return read(context, builder, words, *kind.items[name])


def type_of(layout):
    """Numba's type of an argument: a tuple, an array or a number."""
    return TupleType(layout) if hasattr(values, layout.split()[0]) else item_type(layout)


def item_type(item):
    """Numba's type of an array or a number."""
    return types.Array(_NUMBERS[item[0]], int(item[1:]), "C") if item[1:] else _NUMBERS[item]


def read(context, builder, words, place, kind):
    """The array or number that begins at a word."""
    if isinstance(kind, types.Array):
        return _array(context, builder, [_word(builder, words, place + i) for i in range(1 + kind.ndim)], kind)
    number = _word(builder, words, place)
    if isinstance(kind, types.Float):
        return builder.bitcast(number, ir.DoubleType())
    return builder.trunc(number, ir.IntType(1)) if isinstance(kind, types.Boolean) else number


def _word(builder, words, place):
    """One word; nobody writes them, so that it is read once wherever the code asks for it."""
    word = builder.load(builder.gep(words, [ir.Constant(_WORD, place)]))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _array(context, builder, found, kind):
    """A contiguous array that nobody counts references to."""
    address, *shape = found
    array = context.make_array(kind)(context, builder)  # all zeros, so without an owner
    size = ir.Constant(_WORD, 1 if kind.dtype == types.boolean else kind.dtype.bitwidth // 8)
    strides, count = [size], shape[-1]
    for length in reversed(shape[:-1]):
        strides.insert(0, builder.mul(size, count))
        count = builder.mul(count, length)
    index = types.UniTuple(types.intp, kind.ndim)
    array.data = builder.inttoptr(address, array.data.type)
    array.shape, array.strides = context.make_tuple(builder, index, shape), context.make_tuple(builder, index, strides)
    array.itemsize, array.nitems = size, count
    return array._getvalue()
