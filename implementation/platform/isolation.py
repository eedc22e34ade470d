"""How processes of ours are started: no file of the user stands in for a module of the standard library or of ours."""

import os
import sys

# What Python finds by itself comes first; then what the parent found beside it, so that users' own modules are there.
START = "import sys; sys.path += [entry for entry in {path!r} if entry not in sys.path]; from {module} import main; "
CALL = "sys.exit(main(sys.argv[1:]))"


def isolated(module: str, *arguments: str) -> list[str]:
    """A command that runs ``main(arguments)`` of a module in a new interpreter, and exits with what it returns.

    The interpreter takes nothing from PYTHON* variables or the working directory; what they add to this process's
    ``sys.path`` comes after the standard library and the installed packages.
    """
    path = list(dict.fromkeys(os.path.abspath(entry) for entry in sys.path))
    flags = ["-B"] if sys.dont_write_bytecode else []
    if sys.flags.utf8_mode:
        flags += ["-X", "utf8"]
    return [sys.executable, "-I", *flags, "-c", START.format(path=path, module=module) + CALL, *arguments]
