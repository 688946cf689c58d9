"""Options that several commands share."""

from argparse import ArgumentParser, Namespace

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


def add_peers(parser: ArgumentParser, default: str) -> None:
    """Add --peers and --python."""
    parser.add_argument("--peers", default=default, help=f"separated by commas; default: {default}")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="Python interpreter with a peer installed (Rscript for mclust); repeatable",
    )


def parse_peer_names(arguments: Namespace) -> list[str]:
    """Return the peers of --peers; exit if one is unknown."""
    names = arguments.peers.split(",")
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise SystemExit(f"--peers: {', '.join(unknown)} unknown; allowed are {', '.join(PEERS)}")
    return names


def parse_interpreters(arguments: Namespace) -> dict[str, str]:
    """Return the interpreter of each peer of --python; exit if one is invalid."""
    pairs = [pair.partition("=") for pair in getattr(arguments, "python", [])]
    invalid = [name for name, _, path in pairs if name not in PEERS or not path]
    if invalid:
        raise SystemExit(f"--python needs PEER=PATH with a peer of {', '.join(PEERS)}, not {', '.join(invalid)}")
    return {name: path for name, _, path in pairs}
