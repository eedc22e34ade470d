"""onceproof in tests: a pytest plugin, and Hypothesis tests of a driver. What is heavy is imported when it is used."""

TYPE_CHECKING = False  # type checkers take it for true; `typing` is not imported for it
if TYPE_CHECKING:
    from onceproof.testing.checks import Checks as Checks
    from onceproof.testing.conformance import conforms as conforms
    from onceproof.testing.storms import storm as storm

_HOMES = {
    "Checks": "onceproof.testing.checks",
    "conforms": "onceproof.testing.conformance",
    "storm": "onceproof.testing.storms",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    """The public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'onceproof.testing' has no attribute {name!r}")
    import importlib

    from onceproof.isolation import InstalledFirst

    with InstalledFirst():
        value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
