"""The types of arrays that compiled code reads, as annotations of argument tuples and functions.

A code is a letter and a number of axes: 'd2' is a contiguous array of doubles with two axes. Letters are 'd' doubles,
'f' floats, 'q' integers of 64 bits, 'b' booleans and 'B' bytes. An annotation with several codes makes one version of a
function for each. Numbers are annotated as float, int and bool.
"""

from collections.abc import Iterable
from itertools import product
from typing import Annotated, Any, get_args, get_type_hints

Doubles1 = Annotated[Any, "d1"]
Doubles2 = Annotated[Any, "d2"]
Doubles3 = Annotated[Any, "d3"]
Floats4 = Annotated[Any, "f4"]
Integers1 = Annotated[Any, "q1"]
Integers2 = Annotated[Any, "q2"]
Booleans1 = Annotated[Any, "b1"]
Booleans2 = Annotated[Any, "b2"]
Bytes2 = Annotated[Any, "B2"]
Frame = Annotated[Any, "B2", "B3", "f2", "f3"]  # a picture with one channel or several, of bytes or floats

_NUMBER_CODES = {float: "d", int: "q", bool: "b"}


def iterate_layouts(annotations: Iterable[Any]) -> Iterable[tuple[str, ...]]:
    """Yield the layouts of the arguments of each version of a function, in a fixed order."""
    return product(*map(_layouts_of_annotation, annotations))


def _layouts_of_annotation(annotation: Any) -> list[str]:
    """Return the layouts that an argument may have."""
    if annotation in _NUMBER_CODES:
        return [_NUMBER_CODES[annotation]]
    if hasattr(annotation, "_fields"):
        hints = get_type_hints(annotation, include_extras=True)
        codes = [_layouts_of_annotation(hints[field]) for field in annotation._fields]
        return [" ".join([annotation.__name__, *fields]) for fields in product(*codes)]
    return list(get_args(annotation)[1:])
