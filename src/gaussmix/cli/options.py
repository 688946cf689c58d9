"""Options that several commands share, and how the ones with a syntax of their own are read."""

import csv
from pathlib import Path
from typing import Annotated

import typer

DEBUG = "gaussmix.debug"


def _remember(ctx: typer.Context, wanted: bool) -> bool:
    if wanted:
        ctx.meta[DEBUG] = True
    return wanted


Debug = Annotated[bool, typer.Option("--debug", callback=_remember, help="Show the traceback of a failure.")]
ModelFile = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", readable=False, help="A model.safetensors that gaussmix fit wrote.", show_default=False
    ),
]
DataFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        readable=False,  # our own sentence says so, with exit code 1
        help="Rows to read: .csv (also .tsv, .txt; with , ; or tab between fields) or .parquet.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Whole number; one seed gives one answer.")]


def read_names(text: str | None, option: str) -> list[str] | None:
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


def read_components(text: str) -> list[int]:
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


def read_structures(text: str) -> list[str]:
    """'all', or structures by mclust letters or scikit-learn's names."""
    from gaussmix.covariance.structure import ALL, SKLEARN_NAMES

    if text == "all":
        return list(ALL)
    known = {**SKLEARN_NAMES, **{letters: letters for letters in ALL}}
    found: list[str] = []
    for name in read_names(text, "--structures") or []:
        letters = known.get(name.lower(), known.get(name.upper()))
        if letters is None:
            allowed = ", ".join(["all", *known])
            raise typer.BadParameter(f"{name!r} is no structure; there are {allowed}", param_hint="--structures")
        if letters not in found:
            found.append(letters)
    return found


def read_criterion(text: str) -> str:
    """One of the criteria that a search can rank by."""
    from gaussmix.selection.criteria import CRITERIA

    if text.lower() not in CRITERIA:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(CRITERIA)}", param_hint="--criterion")
    return text.lower()


def require_table_name(output: Path | None) -> None:
    """A table is written as CSV or Parquet, and its name tells which."""
    if output is not None and output.suffix.lower() not in (".csv", ".parquet"):
        raise typer.BadParameter(f"{str(output)!r} must end in .csv or .parquet", param_hint="--output")


def require_page_name(output: Path) -> None:
    """A browser knows a page by the end of its name."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"{str(output)!r} must end in .html or .htm", param_hint="--output")
