"""Options of ``gaussmix churn`` and ``gaussmix churn-score``, and their parsed values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli.options import make_integer_parser, make_rate_parser, parse_names, parse_non_negative_number
from gaussmix.cli.table_format import TableFormat

_DEFAULT_FOLDS, _DEFAULT_TEST_FRACTION = 5, 0.2

TargetOption = Annotated[
    str,
    typer.Option("--target", metavar="COLUMN", help="Column that says who left.", show_default=False),
]
PositiveOption = Annotated[
    str | None,
    typer.Option("--positive", metavar="VALUE", help="Value of the target for who left. Default: Yes, True, 1, ..."),
]
TimeOption = Annotated[
    str | None,
    typer.Option("--time", metavar="COLUMN", help="Test on later customers by this column, instead of random folds."),
]
TestFractionOption = Annotated[
    float | None,
    typer.Option(
        "--test-fraction",
        metavar="RATE",
        parser=make_rate_parser(1.0),
        help=f"Fraction of the customers that --time tests. Default: {_DEFAULT_TEST_FRACTION}.",
    ),
]
FoldsOption = Annotated[
    int | None,
    typer.Option(
        "--folds",
        metavar="N",
        parser=make_integer_parser(2),
        help=f"Parts of the customers that are tested in turn. Default: {_DEFAULT_FOLDS}.",
    ),
]
DropOption = Annotated[
    str | None,
    typer.Option("--drop", "--exclude", metavar="A,B", help="Columns to leave out, such as what is known only later."),
]
CategoricalOption = Annotated[
    str | None,
    typer.Option(
        "--categorical",
        metavar="A,B",
        help="Columns of numbers that are codes. Others of at most 12 whole numbers are categories, in their order.",
    ),
]
FixedOption = Annotated[
    str | None,
    typer.Option("--fixed", metavar="A,B", help="Columns that nobody can change, such as age; no change names them."),
]
GroupsOption = Annotated[
    str | None,
    typer.Option("--by", metavar="COLUMN", help="Compare the groups of this column: are they predicted equally well?"),
]
CostOption = Annotated[
    float | None,
    typer.Option(
        "--cost-contact",
        metavar="AMOUNT",
        parser=parse_non_negative_number,
        help="Cost of contacting a customer. With the next two it says whom to contact.",
    ),
]
ValueOption = Annotated[
    str | None,
    typer.Option(
        "--value-saved",
        metavar="AMOUNT",
        help="Value of a customer who stays instead of leaving: an amount, or a column of amounts.",
    ),
]
SuccessRateOption = Annotated[
    float | None,
    typer.Option(
        "--success-rate",
        metavar="RATE",
        parser=make_rate_parser(1.0, is_maximum_allowed=True),
        help="Fraction of leaving customers who stay if they are contacted.",
    ),
]


@dataclass(frozen=True)
class ContactOptions:
    """What a contact costs and brings; ``value_saved`` is an amount or the name of a column."""

    cost_contact: float
    value_saved: float | str
    success_rate: float

    @property
    def value_column(self) -> str | None:
        """The column of values, None if all customers have the same."""
        return self.value_saved if isinstance(self.value_saved, str) else None


def parse_contact_options(
    cost_contact: float | None, value_saved: str | None, success_rate: float | None
) -> ContactOptions | None:
    """Return the costs, None if none is given; raise typer.BadParameter if one of the three is missing."""
    given = {"--cost-contact": cost_contact, "--value-saved": value_saved, "--success-rate": success_rate}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if cost_contact is None or value_saved is None or success_rate is None:
        raise typer.BadParameter(f"whom to contact follows from {', '.join(given)}; add {' and '.join(missing)}")
    return ContactOptions(cost_contact, _parse_value(value_saved), success_rate)


def _parse_value(text: str) -> float | str:
    """Return an amount, or the name of a column if the text is no number."""
    try:
        float(text)
    except ValueError:
        return text
    return parse_non_negative_number(text)


def parse_new_rate(text: str | None) -> float | str | None:
    """Return a churn rate, 'estimate', or None for None; raise typer.BadParameter for other text."""
    if text is None or text.casefold() == "estimate":
        return text if text is None else "estimate"
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate < 1.0:
        raise typer.BadParameter(
            f"{text!r} is neither 'estimate' nor a number above 0 and below 1; give one, as in: 0.2"
        )
    return rate


@dataclass(frozen=True)
class ChurnOptions:
    """The parsed options of ``gaussmix churn``.

    Attributes
    ----------
    file : Path
    target : str
    positive : str or None
    time, groups : str or None
        Columns of a split in time, and of groups to compare.
    n_folds : int
    test_fraction : float
    dropped, categorical, fixed : list of str
    contact : ContactOptions or None
    seed : int
    table_format : TableFormat
    """

    file: Path
    target: str
    positive: str | None
    time: str | None
    groups: str | None
    n_folds: int
    test_fraction: float
    dropped: list[str]
    categorical: list[str] | None
    fixed: list[str]
    contact: ContactOptions | None
    seed: int
    table_format: TableFormat

    @classmethod
    def from_command_line(
        cls,
        file: Path,
        target: str,
        positive: str | None,
        time: str | None,
        groups: str | None,
        n_folds: int | None,
        test_fraction: float | None,
        column_lists: dict[str, str | None],
        contact: ContactOptions | None,
        seed: int,
        table_format: TableFormat,
    ) -> "ChurnOptions":
        """Return the options; raise typer.BadParameter if they contradict each other.

        ``column_lists`` are the texts of --drop, --categorical and --fixed, by these names.
        """
        if time is None and test_fraction is not None:
            raise typer.BadParameter("--test-fraction belongs to --time; add --time COLUMN, or leave it out")
        if time is not None and n_folds is not None:
            raise typer.BadParameter("--time and --folds exclude each other; give one of them")
        lists = {name: parse_names(text, name) for name, text in column_lists.items()}
        dropped = lists["--drop"] or []
        if target in dropped:
            raise typer.BadParameter(f"{target!r} is the target; leave it out of --drop")
        return cls(
            file,
            target,
            positive,
            time,
            groups,
            n_folds or _DEFAULT_FOLDS,
            test_fraction or _DEFAULT_TEST_FRACTION,
            dropped,
            lists["--categorical"],
            lists["--fixed"] or [],
            contact,
            seed,
            table_format,
        )
