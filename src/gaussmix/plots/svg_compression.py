"""Make the text of an SVG smaller: fewer digits, less white space, and bitmaps with a palette."""

import base64
import io
import re

_MAX_BITMAP_COLOURS = 128  # blended colours of rows and the smooth edges of their markers need no more
_COORDINATE_ATTRIBUTE = re.compile(r' (?:d|x|y)="[^"]*"')
_BITMAP = re.compile(r"(data:image/png;base64,)\s*([A-Za-z0-9+/=\s]+)")
# White space around the letters of a path's commands, which separate numbers themselves.
_PATH_STEP = re.compile(r" ?\n(?=[MLQCz][ \n\"])|(?<=[\n\"][MLQC]) ")
_LINE_INDENT = re.compile(r"\n\s+")
# matplotlib wraps every marker of a scatter plot in a group of its own.
_REPEATED_CLIP = re.compile(r"(<g clip-path=\"[^\"]*\">)\n<use [^>]*/>\n</g>(?:\n\1\n<use [^>]*/>\n</g>)+")
_EXCESS_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")  # decimals beyond a hundredth of a point


def compress_svg(svg: str) -> str:
    """Return a smaller SVG of the same picture: two decimals, no white space, bitmaps of at most 128 colours."""
    svg = _COORDINATE_ATTRIBUTE.sub(lambda match: _EXCESS_DECIMALS.sub("", match.group()), svg)
    svg = _BITMAP.sub(lambda match: match[1] + _reduce_colours(match[2]), svg)
    svg = _PATH_STEP.sub("", svg)
    svg = _LINE_INDENT.sub("\n", svg)
    return _REPEATED_CLIP.sub(_join_clip_groups, svg)


def _join_clip_groups(match: "re.Match[str]") -> str:
    """Return one group for neighbouring groups of one clip path each, such as those of the points of a scatter plot."""
    opening = match[1]
    return match[0].replace(f"</g>\n{opening}\n", "")


def _reduce_colours(encoded_png: str) -> str:
    """Return a bitmap of points, a PNG in base64, with a palette: a fourth of the size, and the same to the eye."""
    from PIL import Image

    output = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(encoded_png))) as bitmap:
        bitmap.quantize(_MAX_BITMAP_COLOURS, method=Image.Quantize.FASTOCTREE).save(output, format="png")
    return base64.b64encode(output.getvalue()).decode("ascii")
