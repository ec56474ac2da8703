"""`python -m mlops`, the same as `mlops`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C ends it without a traceback, also while it still imports."""
    try:
        from mlops.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
