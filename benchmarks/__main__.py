"""Command line: ``python -m benchmarks COMMAND`` runs a benchmark, prints a table and writes the results as JSON.

``python -m benchmarks report JSON... > benchmarks/RESULTS.md`` assembles the page of results, and with
``--update benchmarks/RESULTS.md`` it replaces only the sections of these records.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.adapters import PEERS
from benchmarks.commands import COMMANDS
from benchmarks.commands.arguments import parse_interpreters, parse_peer_names
from benchmarks.machine import build_record_header
from benchmarks.page_update import update_page
from benchmarks.report import build_report
from benchmarks.round_robin import interpreter_path


def _run_command(arguments: argparse.Namespace) -> None:
    """Run a benchmark, write its record as JSON and print its table."""
    command = COMMANDS[arguments.command]
    names = parse_peer_names(arguments) if hasattr(arguments, "peers") else []
    interpreters = [interpreter_path(name, parse_interpreters(arguments)) for name in names]
    options = {key: value for key, value in vars(arguments).items() if key not in ("command", "output")}
    record = build_record_header(arguments.command, options, interpreters)
    record["results"] = command.run_benchmark(arguments)
    if arguments.output:
        Path(arguments.output).write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(command.format_results(record["results"]))


def _write_report(files: list[str], page: str | None) -> None:
    """Print the page of results, or replace the sections of the records in an existing page."""
    if page is None:
        sys.stdout.write(build_report(files) + "\n")
    else:
        text = update_page(Path(page).read_text(encoding="utf-8"), files)
        Path(page).write_text(text + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=f"peers: {', '.join(PEERS)}"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command_parser = commands.add_parser(name, help=command.__doc__, description=command.EXPLANATION)
        command.add_arguments(command_parser)
        command_parser.add_argument("--output", help="JSON file for the results")
    report_parser = commands.add_parser("report", help="print the page of results from JSON files")
    report_parser.add_argument("files", nargs="+", metavar="JSON")
    report_parser.add_argument("--update", metavar="PAGE", help="replace the sections of these records in a page")
    arguments = parser.parse_args(argv)
    if arguments.command == "report":
        _write_report(arguments.files, arguments.update)
    else:
        _run_command(arguments)


if __name__ == "__main__":
    main()
