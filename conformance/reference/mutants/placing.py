"""Faults of placement: an agent's name is taken for the VM that has it."""

from __future__ import annotations

from typing import Any

from onceproof.conformance.reference.mutants.variant import Mutant, changed, reworded
from onceproof.implementation.components.task_store import TaskStore

LOST: dict[str, Any] = {"sizes": {"schedulers": 1, "agents": 1}, "faults": {"agent_crash": 1}}
SAME_NUMBER = "agents.incarnation = placements.incarnation AND agents.gone = 0"
_BLIND = reworded(TaskStore, "PLACEMENT", "OR agents.incarnation != placements.incarnation", "")

PLACING = [
    Mutant(
        "placement-ignores-incarnation",
        "a task that was placed on a lost VM counts as placed on the fresh one of that name",
        {"store": _BLIND},
        **LOST,
    ),
    Mutant(
        "fresh-vm-starts-again",
        "neither placement nor agent looks at the incarnation: the fresh VM runs what the lost one had begun",
        {
            "store": changed(
                _BLIND,
                IS_PLACED_ON=TaskStore.IS_PLACED_ON.replace(SAME_NUMBER, "agents.gone = 0").replace(
                    "AND placements.incarnation = ?", "AND ? > 0"
                ),
            )
        },
        **LOST,
    ),
    Mutant(
        "old-incarnation-number",
        "a fresh VM has the number of the lost one, so nobody can tell them apart",
        {"store": reworded(TaskStore, "AGENT_BOOTS", "agents.incarnation + 1", "agents.incarnation")},
        **LOST,
    ),
]
