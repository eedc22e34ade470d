"""A platform that is broken as a mutant says: what a storm must find.

Its arguments are ``serve MUTANT SETTINGS``, with the settings as JSON, or ``process MUTANT`` and those of a process.
"""

from __future__ import annotations

import json

from onceproof.conformance.reference.platform.mutants import spoil
from onceproof.implementation.platform import process, supervisor
from onceproof.implementation.platform.config import load_config
from onceproof.implementation.platform.isolation import isolated

HERE = "onceproof.conformance.reference.storm.spoiled"  # where `main` is found


def main(arguments: list[str]) -> int:
    """Serve with every process broken, or be one of them."""
    what, mutant, *rest = arguments
    if what == "serve":
        return _serve(mutant, json.loads(rest[0]))
    spoil(mutant)
    return process.main(rest)


def _serve(mutant: str, settings: dict[str, object]) -> int:
    def broken(module: str, *own: str) -> list[str]:
        return isolated(HERE, "process", mutant, *own)

    setattr(supervisor, "isolated", broken)  # noqa: B010
    return supervisor.run(load_config(None, None, settings), _tell)


def _tell(text: str) -> None:
    """Where the storm reads it."""
    with open(1, "w", encoding="utf-8", closefd=False) as out:
        out.write(f"{text}\n")
