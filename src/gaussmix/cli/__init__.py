"""The command line: read a file, call the library, print what was found; one file per command."""

import sys


def main() -> None:
    """Run ``gaussmix`` as a program: exit code 0 is success, 1 failure, 2 wrong usage, 130 Ctrl-C."""
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
    from gaussmix.cli.console import install_interrupt_handler

    install_interrupt_handler()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a column name must not stop a terminal that cannot show it
    app(prog_name="gaussmix")
