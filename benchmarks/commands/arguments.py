"""Options that several commands share."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from functools import partial

from benchmarks.adapters import PEERS


def add_rounds(parser: ArgumentParser, default: int = 5) -> None:
    """Add --rounds."""
    parser.add_argument("--rounds", type=int, default=default, help="number of rounds; results are medians over them")


def add_iterations(parser: ArgumentParser) -> None:
    """Add --iterations."""
    parser.add_argument("--iterations", type=int, default=4, help="number of timed iterations after the first one")


def add_cases(parser: ArgumentParser) -> None:
    """Add --structures and --shapes."""
    parser.add_argument("--structures", help="of full,tied,diag,spherical; default: all cases")
    parser.add_argument(
        "--shapes", nargs="+", metavar="n,d,K[,separation]", help="shapes that replace the default cases"
    )


def add_peers(parser: ArgumentParser, default: str, allowed: Iterable[str] = tuple(PEERS)) -> None:
    """Add --peers and --python; exit if one names a peer that is not allowed."""
    names = tuple(allowed)
    add_peer_names(parser, default, names)
    parser.add_argument(
        "--python",
        type=partial(_check_interpreter, names),
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="Python interpreter with a peer installed (Rscript for mclust); repeatable",
    )


def add_peer_names(parser: ArgumentParser, default: str, allowed: Iterable[str]) -> None:
    """Add --peers; exit if it names a peer that is not allowed."""
    names = tuple(allowed)
    parser.add_argument(
        "--peers",
        type=partial(_check_peers, names),
        default=default,
        help=f"of {', '.join(names)}; separated by commas; default: {default}",
    )


def _check_peers(allowed: tuple[str, ...], text: str) -> str:
    """Return the text of --peers; exit if a peer is unknown."""
    unknown = [name for name in text.split(",") if name not in allowed]
    if unknown:
        raise SystemExit(f"--peers: {', '.join(unknown)} unknown; allowed are {', '.join(allowed)}")
    return text


def _check_interpreter(allowed: tuple[str, ...], text: str) -> str:
    """Return the text of --python; exit if it has no path or its peer is unknown."""
    name, _, path = text.partition("=")
    if name not in allowed or not path:
        raise SystemExit(f"--python needs PEER=PATH with a peer of {', '.join(allowed)}, not {text}")
    return text


def parse_peer_names(arguments: Namespace) -> list[str]:
    """Return the peers of --peers."""
    return list(arguments.peers.split(","))


def parse_interpreters(arguments: Namespace) -> dict[str, str]:
    """Return the interpreter of each peer of --python."""
    pairs = [pair.partition("=") for pair in getattr(arguments, "python", [])]
    return {name: path for name, _, path in pairs}
