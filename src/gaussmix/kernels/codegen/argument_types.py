"""Numba types of argument tuples: a pointer to 64-bit words, from which each field is read where it is used.

Numba's own tuples would be unpacked and packed again, some hundred numbers, at every call of one kernel
by another. Most of the compiled code would be that.
"""

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import lower_getattr_generic, models, register_model

from gaussmix.kernels import argument_tuples

_WORD_TYPE = ir.IntType(64)
_ELEMENT_TYPES = {"d": types.float64, "f": types.float32, "q": types.int64, "b": types.boolean, "B": types.uint8}


class ArgumentTupleType(types.Type):
    """The Numba type of an argument tuple; ``field_types`` maps a field to its first word and its type."""

    def __init__(self, layout):
        name, *items = layout.split()
        super().__init__(name=f"{name}_{''.join(items)}")
        self.field_types, place = {}, 0
        for field, item in zip(getattr(argument_tuples, name)._fields, items, strict=True):
            self.field_types[field] = (place, element_or_array_type(item))
            place += 1 + int(item[1:] or 0)


@register_model(ArgumentTupleType)
class _ArgumentTupleModel(models.PrimitiveModel):
    """The LLVM representation of an argument tuple: a pointer to words."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, _WORD_TYPE.as_pointer())


@infer_getattr
class _ArgumentTupleFields(AttributeTemplate):
    """The types of ``arguments.field`` for Numba's type inference."""

    key = ArgumentTupleType

    def generic_resolve(self, kind, name):
        """Return the type of a field, or None if there is no such field."""
        return kind.field_types[name][1] if name in kind.field_types else None


@lower_getattr_generic(ArgumentTupleType)
def _lower_field_access(context, builder, tuple_type, words, name):
    """Emit the code for ``arguments.field``."""
    return load_argument(context, builder, words, *tuple_type.field_types[name])


def argument_type(layout):
    """Return Numba's type of an argument with this layout: a tuple, an array or a number."""
    return ArgumentTupleType(layout) if hasattr(argument_tuples, layout.split()[0]) else element_or_array_type(layout)


def element_or_array_type(code):
    """Return Numba's type of an array ('d2') or a number ('d')."""
    return types.Array(_ELEMENT_TYPES[code[0]], int(code[1:]), "C") if code[1:] else _ELEMENT_TYPES[code]


def load_argument(context, builder, words, word_index, numba_type):
    """Emit code that loads the array or number that starts at a word."""
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
    """Emit code that loads one word. Words never change, so LLVM may merge or move the load."""
    word = builder.load(builder.gep(words, [ir.Constant(_WORD_TYPE, word_index)]))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def _build_array(context, builder, words, numba_type):
    """Build a contiguous array without reference counting from its address and lengths."""
    address, *shape = words
    array = context.make_array(numba_type)(context, builder)  # all zeros, so without an owner to count references of
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
