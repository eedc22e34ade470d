"""``python -m onceproof``: the command line."""

from onceproof.main import main

if __name__ == "__main__":
    main()
