"""Command-line options that several commands share, and parsers of options with a syntax of their own."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

DEBUG_META_KEY = "gaussmix.debug"
_MAX_COUNTS_IN_RANGE = 1000
_MAX_DIGITS = 9  # of a number of components


def _store_debug_flag(ctx: typer.Context, value: bool) -> bool:
    """Store --debug in ``ctx.meta``, where an error message looks for it, and return the value."""
    if value:
        ctx.meta[DEBUG_META_KEY] = True
    return value


def make_integer_parser(minimum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers of at least ``minimum``, which raises typer.BadParameter for other text."""

    def parse_whole_number(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if number < minimum:
            raise typer.BadParameter(f"{text!r} is not a whole number of at least {minimum}; give one, as in: 3")
        return number

    return parse_whole_number


def parse_non_negative_number(text: str) -> float:
    """Return a finite number of at least 0; raise typer.BadParameter for other text."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise typer.BadParameter(f"{text!r} is not a number of at least 0; give one, such as 0.5")
    return number


def make_rate_parser(maximum: float, is_maximum_allowed: bool = False) -> Callable[[str], float]:
    """Return a parser of numbers between 0 and ``maximum``, which raises typer.BadParameter for other text."""
    allowed = f"above 0 and {'at most' if is_maximum_allowed else 'below'} {maximum:g}"

    def parse_rate(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not (0.0 < number < maximum or (is_maximum_allowed and number == maximum)):
            raise typer.BadParameter(f"{text!r} is not a number {allowed}; give one, as in: 0.05")
        return number

    return parse_rate


def make_choice_parser(*allowed: str) -> Callable[[str], str]:
    """Return a parser of some names in any case, which raises typer.BadParameter for other text."""

    def parse_choice(text: str) -> str:
        if text.lower() not in allowed:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(allowed)}")
        return text.lower()

    return parse_choice


def parse_output_path(text: str) -> Path:
    """Return the path of an output file or folder; raise typer.BadParameter for an empty text."""
    if not str(text).strip():
        raise typer.BadParameter("the name is empty; give a name, or leave the option out")
    return Path(text)


DebugOption = Annotated[
    bool, typer.Option("--debug", callback=_store_debug_flag, help="Show the traceback of a failure.")
]
ModelFileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        readable=False,
        help="The folder that gaussmix fit wrote, or the model.safetensors in it.",
        show_default=False,
    ),
]
DataFileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        readable=False,  # the reader raises an error with exit code 1
        help="Rows to read: .csv, .tsv, .txt, .xlsx, .parquet, .feather, .json or .jsonl, compressed or not; - for "
        "standard input.",
        show_default=False,
    ),
]
EngineOption = Annotated[
    str,
    typer.Option("--engine", metavar="NAME", help="What computes the passes over the rows: auto, numpy or compiled."),
]
SeedOption = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        parser=make_integer_parser(0),
        help="Seed, a whole number. Equal seeds give equal results.",
    ),
]


def parse_names(text: str | None, option_name: str) -> list[str] | None:
    """Return comma-separated names, quoted or not, or None for None; raise typer.BadParameter if one repeats."""
    if text is None:
        return None
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or "" in names:
        raise typer.BadParameter("give names separated by commas, as in: a,b", param_hint=option_name)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise typer.BadParameter(f"{repeated[0]!r} appears twice; name it once", param_hint=option_name)
    return names


def parse_component_counts(text: str) -> list[int]:
    """Return increasing numbers of components from '3', '1:9', '1,2,5' or a mixture of these."""
    counts: set[int] = set()
    for part in text.split(","):
        low, high = _parse_count_range(text, part)
        if high - low > _MAX_COUNTS_IN_RANGE:
            raise _component_counts_error(text, f"asks for more than {_MAX_COUNTS_IN_RANGE} fits")
        counts.update(range(low, high + 1))
    return sorted(counts)


def _parse_count_range(text: str, part: str) -> tuple[int, int]:
    """Return the lowest and the highest number of 'low:high' or of one number, a part of ``text``."""
    bounds = [bound.strip() for bound in part.split(":")]
    if len(bounds) > 2:
        raise _component_counts_error(text, f"has a range of more than two numbers, {part.strip()!r}")
    for bound in bounds:
        if not (bound.isascii() and bound.isdigit()):
            raise _component_counts_error(text, f"contains {bound!r}, which is not a whole number")
        if len(bound) > _MAX_DIGITS:
            raise _component_counts_error(text, f"contains {bound}, which is too large")
    low, high = (int(bound) for bound in (bounds[0], bounds[-1]))
    if low < 1:
        raise _component_counts_error(text, "contains 0, but a mixture has at least one component")
    if low > high:
        raise _component_counts_error(text, f"has a range that decreases, {part.strip()!r}")
    return low, high


def _component_counts_error(text: str, reason: str) -> typer.BadParameter:
    """Return the error that a text holds no numbers of components, with the reason."""
    return typer.BadParameter(
        f"{text!r} {reason}; give one number (3), a range (1:9) or a list (1,2,5) of numbers from 1",
        param_hint="--components",
    )


def parse_structures(text: str) -> list[str]:
    """Return mclust letters from 'all', or from mclust's and scikit-learn's names separated by commas."""
    from gaussmix.covariance.structure import MCLUST_NAMES, SKLEARN_TO_MCLUST

    if text == "all":
        return list(MCLUST_NAMES)
    letters_by_name = {**SKLEARN_TO_MCLUST, **{letters: letters for letters in MCLUST_NAMES}}
    structures: list[str] = []
    for name in parse_names(text, "--structures") or []:
        letters = letters_by_name.get(name.lower(), letters_by_name.get(name.upper()))
        if letters is None:
            allowed = ", ".join(["all", *letters_by_name])
            raise typer.BadParameter(f"{name!r} is not a structure; choose from {allowed}", param_hint="--structures")
        if letters not in structures:
            structures.append(letters)
    return structures


def parse_criterion(text: str) -> str:
    """Return the criterion that --criterion names in any case; raise typer.BadParameter if there is none."""
    from gaussmix.selection.criteria import CRITERIA

    return _parse_lower_case_choice(text, list(CRITERIA), "--criterion")


def parse_engine(text: str) -> str:
    """Return the engine that --engine names in any case; raise typer.BadParameter if there is none."""
    from gaussmix.engines import ENGINE_NAMES

    return _parse_lower_case_choice(text, list(ENGINE_NAMES), "--engine")


def parse_transform(text: str | None) -> str | dict[str, str] | None:
    """Return a transform of all columns, or of each named column as in 'a=log1p,b=yeo-johnson'; None for None."""
    from gaussmix.transforms import TRANSFORM_NAMES

    if text is None:
        return None
    if "=" not in text:
        return _parse_lower_case_choice(text, [*TRANSFORM_NAMES, "auto"], "--transform")
    parts = [part.rpartition("=") for part in parse_names(text, "--transform") or []]
    if not all(column for column, _, _ in parts):
        raise typer.BadParameter("give columns and transforms, as in: income=log1p", param_hint="--transform")
    return {
        column.strip(): _parse_lower_case_choice(name.strip(), list(TRANSFORM_NAMES), "--transform")
        for column, _, name in parts
    }


def _parse_lower_case_choice(text: str, allowed: list[str], option_name: str) -> str:
    """Return the text in lower case; raise typer.BadParameter if that is not one of the allowed names."""
    if text.lower() not in allowed:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(allowed)}", param_hint=option_name)
    return text.lower()


def require_table_suffix(output: Path | None) -> None:
    """Raise typer.BadParameter unless the name of an output table ends in .csv or .parquet."""
    if output is not None and output.suffix.lower() not in (".csv", ".parquet"):
        raise typer.BadParameter(f"{str(output)!r} must end in .csv or .parquet", param_hint="--output")


def require_html_suffix(output: Path) -> None:
    """Raise typer.BadParameter unless the name of an output page ends in .html or .htm."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{str(output)!r} must end in .html or .htm", param_hint="--output")
