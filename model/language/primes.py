"""Primed names, as in TLA+: ``term'`` is the field ``term`` in the state after a step."""

PRIME = "'"  # no name of an author's has one


def primed(name: str) -> str:
    """The name of a field in the state after a step. The parts of a composite field keep what is behind its name."""
    start, dot, rest = name.partition(".")
    return f"{start}{PRIME}{dot}{rest}"


def unprimed(name: str) -> str:
    """The name of a field in the model, whichever state it is read of."""
    return name.replace(PRIME, "")


def is_primed(name: str) -> bool:
    """Whether a field is read of the state after a step."""
    return PRIME in name
