"""``python -m gaussmix``: the command line where the console script is not on the path."""

from gaussmix.cli import main

if __name__ == "__main__":
    main()
