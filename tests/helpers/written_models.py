"""Models that a test writes as text, as their author would write them into a file."""

import itertools
import linecache
import sys
import types

from onceproof.model.language import Model

_numbers = itertools.count(1)


def written_model(text: str, name: str = "written") -> Model:
    """The model that a text declares; its source can be read, as that of a file can."""
    file = f"<{name}{next(_numbers)}.py>"
    module = types.ModuleType(file)
    sys.modules[file] = module
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module.__dict__)
    return Model(name, vars(module))
