"""Where the command line starts, as ``onceproof`` and as ``python -m onceproof``."""

import sys

from onceproof.isolation import prefer_installed


def main() -> None:
    """Run the command line and end the process with its exit status. No file of the user replaces a library."""
    try:
        prefer_installed()
        from onceproof.main import main as run
    except KeyboardInterrupt:  # while the first modules were read: there is nothing to say yet but that
        sys.stderr.write("onceproof: interrupted\n")
        sys.exit(3)
    run()


if __name__ == "__main__":
    main()
