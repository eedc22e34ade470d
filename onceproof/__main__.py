"""Where the command line starts, as ``onceproof`` and as ``python -m onceproof``."""

from onceproof.isolation import prefer_installed


def main() -> None:
    """Run the command line and end the process with its exit status. No file of the user replaces a library."""
    prefer_installed()
    from onceproof.main import main as run

    run()


if __name__ == "__main__":
    main()
