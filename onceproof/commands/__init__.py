"""One module for each command of ``onceproof``.

A module ``NAME.py`` here is the command ``onceproof NAME``: it defines a click command called ``command``, and the
first line of its docstring is its line in ``onceproof --help``. The module is imported only when its command is run or
asked for help, so it may import what it needs at its top. Modules whose names begin with ``_`` are not commands.

A command ends by returning (exit status 0), or by ``raise click.exceptions.Exit(Exit.VIOLATED)``; wrong input is
``raise InputError("one line")``. ``onceproof.main`` turns both, and the errors of models, into what users see.
"""
