"""Tuples of arrays inside compiled code: a pointer to their words, from which an item is read where it is used.

Numba's own tuples would be taken apart and put together again, some hundred numbers, at every call of one
kernel by another: most of what is compiled would be that.
"""

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import lower_getattr_generic, models, register_model

from gaussmix.engines.kernels import argument_tuples

_WORD_TYPE = ir.IntType(64)
_ELEMENT_TYPES = {"d": types.float64, "f": types.float32, "q": types.int64, "b": types.boolean}


class ArgumentTupleType(types.Type):
    """The compiled type of one of the tuples of ``values``: the first word and the type of each item."""

    def __init__(self, layout):
        name, *items = layout.split()
        super().__init__(name=f"{name}_{''.join(items)}")
        self.field_types, place = {}, 0
        for field, item in zip(getattr(argument_tuples, name)._fields, items, strict=True):
            self.field_types[field] = (place, element_or_array_type(item))
            place += 1 + int(item[1:] or 0)


@register_model(ArgumentTupleType)
class _ArgumentTupleModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _WORD_TYPE.as_pointer())


@infer_getattr
class _ArgumentTupleFields(AttributeTemplate):
    key = ArgumentTupleType

    def generic_resolve(self, kind, name):
        return kind.field_types[name][1] if name in kind.field_types else None


@lower_getattr_generic(ArgumentTupleType)
def _lower_field_access(context, builder, tuple_type, words, name):
    return load_argument(context, builder, words, *tuple_type.field_types[name])


def argument_type(layout):
    """Numba's type of an argument: a tuple, an array or a number."""
    return ArgumentTupleType(layout) if hasattr(argument_tuples, layout.split()[0]) else element_or_array_type(layout)


def element_or_array_type(code):
    """Numba's type of an array or a number."""
    return types.Array(_ELEMENT_TYPES[code[0]], int(code[1:]), "C") if code[1:] else _ELEMENT_TYPES[code]


def load_argument(context, builder, words, word_index, numba_type):
    """The array or number that begins at a word."""
    if isinstance(numba_type, types.Array):
        return _build_array(
            context,
            builder,
            [_load_word(builder, words, word_index + i) for i in range(1 + numba_type.ndim)],
            numba_type,
        )
    number = _load_word(builder, words, word_index)
    if isinstance(numba_type, types.Float):
        return builder.bitcast(number, ir.DoubleType())
    return builder.trunc(number, ir.IntType(1)) if isinstance(numba_type, types.Boolean) else number


def _load_word(builder, words, word_index):
    """One word; nobody writes them, so that it is read once wherever the code asks for it."""
    word = builder.load(builder.gep(words, [ir.Constant(_WORD_TYPE, word_index)]))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _build_array(context, builder, words, numba_type):
    """A contiguous array that nobody counts references to."""
    address, *shape = words
    array = context.make_array(numba_type)(context, builder)  # all zeros, so without an owner
    size = ir.Constant(_WORD_TYPE, 1 if numba_type.dtype == types.boolean else numba_type.dtype.bitwidth // 8)
    strides, count = [size], shape[-1]
    for length in reversed(shape[:-1]):
        strides.insert(0, builder.mul(size, count))
        count = builder.mul(count, length)
    index = types.UniTuple(types.intp, numba_type.ndim)
    array.data = builder.inttoptr(address, array.data.type)
    array.shape, array.strides = context.make_tuple(builder, index, shape), context.make_tuple(builder, index, strides)
    array.itemsize, array.nitems = size, count
    return array._getvalue()
