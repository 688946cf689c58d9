"""Options that several commands share, and how the ones with a syntax of their own are read."""

import csv
from pathlib import Path
from typing import Annotated

import typer

DEBUG_META_KEY = "gaussmix.debug"


def _store_debug_flag(ctx: typer.Context, value: bool) -> bool:
    if value:
        ctx.meta[DEBUG_META_KEY] = True
    return value


DebugOption = Annotated[
    bool, typer.Option("--debug", callback=_store_debug_flag, help="Show the traceback of a failure.")
]
ModelFileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", readable=False, help="A model.safetensors that gaussmix fit wrote.", show_default=False
    ),
]
DataFileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        readable=False,  # our own sentence says so, with exit code 1
        help="Rows to read: .csv (also .tsv, .txt; with , ; or tab between fields) or .parquet.",
        show_default=False,
    ),
]
EngineOption = Annotated[
    str,
    typer.Option("--engine", metavar="NAME", help="What computes the passes over the rows: auto, numpy or compiled."),
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Whole number; one seed gives one answer.")]


def parse_names(text: str | None, option: str) -> list[str] | None:
    """Names between commas, in quotes where a name holds a comma; None stays None."""
    if text is None:
        return None
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or "" in names:
        raise typer.BadParameter("give names with commas between them, as in: a,b", param_hint=option)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise typer.BadParameter(f"{twice[0]!r} stands there twice; name it once", param_hint=option)
    return names


def parse_component_counts(text: str) -> list[int]:
    """'3', '1:9', '1,2,5' and mixtures of these as increasing numbers of components."""
    wrong = typer.BadParameter(
        f"{text!r} is no number of components; write one (3), a range (1:9) or a list (1,2,5) of numbers from 1",
        param_hint="--components",
    )
    counts: set[int] = set()
    for part in text.split(","):
        ends = [end.strip() for end in part.split(":")]
        if len(ends) > 2 or not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
            raise wrong
        low, high = int(ends[0]), int(ends[-1])
        if not 1 <= low <= high:
            raise wrong
        if high - low > 1000:
            raise typer.BadParameter(f"{text!r} asks for more than 1000 fits", param_hint="--components")
        counts.update(range(low, high + 1))
    return sorted(counts)


def parse_structures(text: str) -> list[str]:
    """'all', or structures by mclust letters or scikit-learn's names."""
    from gaussmix.covariance.structure import MCLUST_NAMES, SKLEARN_TO_MCLUST

    if text == "all":
        return list(MCLUST_NAMES)
    known = {**SKLEARN_TO_MCLUST, **{letters: letters for letters in MCLUST_NAMES}}
    found: list[str] = []
    for name in parse_names(text, "--structures") or []:
        letters = known.get(name.lower(), known.get(name.upper()))
        if letters is None:
            allowed = ", ".join(["all", *known])
            raise typer.BadParameter(f"{name!r} is no structure; there are {allowed}", param_hint="--structures")
        if letters not in found:
            found.append(letters)
    return found


def parse_criterion(text: str) -> str:
    """One of the criteria that a search can rank by."""
    from gaussmix.selection.criteria import CRITERIA

    if text.lower() not in CRITERIA:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(CRITERIA)}", param_hint="--criterion")
    return text.lower()


def parse_engine(text: str) -> str:
    """Return the name of an engine in lower case."""
    from gaussmix.engines import ENGINE_NAMES

    if text.lower() not in ENGINE_NAMES:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(ENGINE_NAMES)}", param_hint="--engine")
    return text.lower()


def require_table_suffix(output: Path | None) -> None:
    """A table is written as CSV or Parquet, and its name tells which."""
    if output is not None and output.suffix.lower() not in (".csv", ".parquet"):
        raise typer.BadParameter(f"{str(output)!r} must end in .csv or .parquet", param_hint="--output")


def require_html_suffix(output: Path) -> None:
    """A browser knows a page by the end of its name."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{str(output)!r} must end in .html or .htm", param_hint="--output")
