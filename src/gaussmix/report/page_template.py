"""Templates of self-contained pages, the file that a page is written to, and the versions in its footer."""

import os
import platform
from importlib import resources
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy

from gaussmix._version import __version__
from gaussmix.errors import FileError, MissingPackageError
from gaussmix.plots.canvas import format_count, truncate_name
from gaussmix.plots.picture_export import Picture, matplotlib_name_version
from gaussmix.report import formatting

if TYPE_CHECKING:
    from jinja2 import Template


class CaptionedPicture(NamedTuple):
    """A picture and the sentence below it."""

    picture: Picture
    caption: str


def load_template(file_name: str) -> "Template":
    """Return a jinja2 template of the package, which escapes inserted text; raise MissingPackageError without jinja2.

    It may include the other files of the package, such as the style of all pages.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingPackageError.for_extra("jinja2", "the report", "cli") from error
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read_package_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=formatting.format_number,
        decimals=formatting.format_decimals,
        percent=formatting.format_percent,
        score=formatting.format_score,
        count=format_count,
        shorten=truncate_name,
    )
    return environment.get_template(file_name)


def _read_package_file(file_name: str) -> str:
    """Return the text of a file beside this module."""
    return resources.files("gaussmix.report").joinpath(file_name).read_text(encoding="utf-8")


def write_page(path: str | PathLike[str], page: str) -> None:
    """Write a page to a file; a failure leaves no incomplete file and raises FileError."""
    partial = f"{os.fspath(path)}.partial"
    try:
        with open(partial, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        os.replace(partial, path)
    except OSError as error:
        raise FileError(f"cannot write {os.fspath(path)}: {error}") from error


def format_versions() -> str:
    """Return text with the versions of gaussmix, Python, NumPy, SciPy and matplotlib."""
    versions = [f"gaussmix {__version__}", f"Python {platform.python_version()}"]
    return ", ".join([*versions, f"NumPy {np.__version__}", f"SciPy {scipy.__version__}", matplotlib_name_version()])
