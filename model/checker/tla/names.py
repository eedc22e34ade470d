"""Names that an export may use: what TLA+ and the frame of a module mean themselves is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from onceproof.model.language.composites import Bag, Seq, Set
from onceproof.model.language.declare import Property
from onceproof.model.language.errors import ModelError
from onceproof.model.language.sorts import Choice, Sort
from onceproof.model.language.system import System
from onceproof.model.language.value_kinds import OptionKind, RecordKind

DECLARED = "Declared_"  # before the name of a field: what it is declared to start with
IDENTIFIER = re.compile(r"\w*[A-Za-z]\w*", re.ASCII)
# What TLA+ itself, the modules that are extended and the frame of ours mean by a name.
TAKEN = frozenset(
    """
    ACTION ASSUME ASSUMPTION AXIOM BOOLEAN BY CASE CHOOSE CONSTANT CONSTANTS COROLLARY DEF DEFINE DEFS DOMAIN ELSE
    ENABLED EXCEPT EXTENDS FALSE HAVE HIDE IF IN INSTANCE LAMBDA LEMMA LET LOCAL MODULE NEW OBVIOUS OMITTED ONLY OTHER
    PICK PROOF PROPOSITION PROVE QED RECURSIVE STATE STRING SUBSET SUFFICES TAKE TEMPORAL THEN THEOREM TRUE UNCHANGED
    UNION USE VARIABLE VARIABLES WITH WITNESS Int Nat Init Next Spec Fairness TypeOK Clamp NoDeadlock RangesKept vars
    FloorDiv FloorMod Cardinality IsFiniteSet WithoutFaults
    """.split()  # noqa: SIM905
)
OF_MODULES: dict[type, tuple[str, ...]] = {  # what the modules that are extended for a kind of fields mean by a name
    Seq: ("Seq", "Append", "Head", "Tail", "SubSeq", "SelectSeq", "Len"),
}


def check_names(system: System, properties: Sequence[Property]) -> None:
    """ModelError for a name that would mean something else in TLA+, or nothing."""
    sets = sets_of(system)
    taken = TAKEN.union(*(names for kind, names in OF_MODULES.items() if _holds(system, kind)))
    fields = [*system.model.field_names, *_attributes(system)]
    declared = [*fields, *system.actions, *sets, *(claim.name for claim in properties)]
    for name in declared:
        prefixed = name.startswith(("WF_", "SF_", "Can_", "Before", "Never_", DECLARED))
        if name in taken or prefixed or not IDENTIFIER.fullmatch(name):
            raise ModelError(f"`{name}` cannot be called that in TLA+: rename it before an export")


def _holds(system: System, kind: type) -> bool:
    return any(isinstance(one.kind, kind) for one in system.model.composites.values())


def _attributes(system: System) -> Iterator[str]:
    """The names of the attributes of all records."""
    waiting: list[object] = [one.kind for one in system.model.composites.values()]
    while waiting:
        match waiting.pop():
            case RecordKind(_, parts):
                yield from (name for name, _ in parts)
                waiting += [inner for _, inner in parts]
            case OptionKind(inner):
                waiting.append(inner)
            case Seq() | Set() | Bag() as kind:
                waiting.append(kind.element)


def sets_of(system: System) -> dict[str, type[Sort]]:
    """The sorts of a system and the enums that fields are indexed by, by name."""
    sets = system.model.index_sets
    return system.model.sorts | {name: one for name, one in sets.items() if isinstance(one.values, Choice)}
