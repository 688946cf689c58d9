"""The program ``gaussmix``: its commands, its global options and its error messages.

This module and the tops of the command modules import no large package, so that ``--help`` is fast.
"""

import errno
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gaussmix._version import __version__
from gaussmix.cli import (
    anomalies,
    churn,
    churn_score,
    compare,
    console,
    fit,
    info,
    predict,
    report,
    sample,
    select,
    track,
)
from gaussmix.cli.options import DEBUG_META_KEY, DebugOption
from gaussmix.cli.table_format import add_table_options
from gaussmix.errors import (
    GaussmixError,
    MissingPackageError,
    RowTooFarError,
    TableError,
    TransformedRowError,
    TransformError,
)

_OPTIONAL_PACKAGES = {"jinja2", "matplotlib", "pyarrow", "rich"}


class ErrorReportingGroup(TyperGroup):
    """Command group that turns an exception into one sentence on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an exception becomes a message on stderr and exit code 1 or 130, except with --debug."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            console.print_stderr("Interrupted.")
            raise typer.Exit(130) from None
        except Exception as error:
            if _is_handled_by_typer(error) or ctx.meta.get(DEBUG_META_KEY):
                raise
            console.print_error(format_error(error))
            raise typer.Exit(1) from error


def _is_handled_by_typer(error: Exception) -> bool:
    """Return whether the error is wrong usage, an exit, or a closed pipe, which Typer handles."""
    return (
        hasattr(error, "exit_code")
        or isinstance(error, typer.Abort)
        or (isinstance(error, OSError) and error.errno == errno.EPIPE)
    )


def format_error(error: Exception) -> str:
    """Return a one-line message for the user that says what the exception means."""
    package = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in _OPTIONAL_PACKAGES:
        error = MissingPackageError.for_extra(package, "this command", "cli")
    if isinstance(error, RowTooFarError) and error.row is not None:
        error = TableError.row_too_far(error.row + 1)  # rows count from 0 in the library and from 1 in files
    if isinstance(error, TransformError) and error.row is not None:
        error = TransformedRowError.from_row(error.row + 1, error.problem, error.advice)
    if isinstance(error, GaussmixError):
        return " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; use fewer rows, columns or components"
    if isinstance(error, OSError):
        file_name = f"{error.filename}: " if error.filename else ""
        return f"{file_name}{error.strerror or error}"
    message = " ".join(f"{type(error).__name__}: {error}".split())
    return f"unexpected {message}; this is a bug in gaussmix, and --debug shows the traceback"


app = typer.Typer(
    name="gaussmix",
    cls=ErrorReportingGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_EXAMPLES = """\b
Examples:
  gaussmix fit faithful.csv
  gaussmix info faithful-gaussmix
  gaussmix predict faithful-gaussmix new-rows.csv

Help for each command: gaussmix fit --help
"""


def _print_version_and_exit(value: bool) -> None:
    """Print the version and raise typer.Exit if the option --version is set."""
    if value:
        typer.echo(f"gaussmix {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True, epilog=_EXAMPLES)
def run_without_command(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version_and_exit, is_eager=True, help="Print the version and exit."),
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Find groups in a table of measurements with a Gaussian mixture.

    It estimates the groups, their shapes, the probability of each group for each row, and predicts
    new rows. Start with: gaussmix fit FILE
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


for name, module, command in (
    ("fit", fit, fit.run_fit),
    ("select", select, select.run_select),
    ("compare", compare, compare.run_compare),
    ("anomalies", anomalies, anomalies.run_anomalies),
    ("churn", churn, churn.run_churn),
    ("churn-score", churn_score, churn_score.run_churn_score),
    ("track", track, track.run_track),
    ("predict", predict, predict.run_predict),
    ("report", report, report.run_report),
):
    app.command(name, epilog=module.EXAMPLES)(add_table_options(command))
app.command("sample", epilog=sample.EXAMPLES)(sample.run_sample)
app.command("info", epilog=info.EXAMPLES)(info.run_info)
