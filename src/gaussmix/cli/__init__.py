"""The command line ``gaussmix``, with one module per command."""

import os
import sys


def main() -> None:
    """Run the program; exit code 0 is success, 1 failure, 2 wrong usage, and 130 Ctrl-C."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - it stays open
    try:
        from gaussmix.cli.app import app
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package in ("", "gaussmix"):
            raise
        from gaussmix.errors import MissingPackageError

        print(f"Error: {MissingPackageError.for_extra(package, 'the command line', 'cli')}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    from gaussmix.cli.console import install_interrupt_handler, print_warnings_as_notes

    install_interrupt_handler()
    print_warnings_as_notes()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal may lack characters of a column name
    app(prog_name="gaussmix")
