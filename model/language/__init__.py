"""A language for models: ordinary Python over declared fields, run on values, or read into terms.

Write a model with ``Sort``, ``State``, ``field``, ``switch``, ``action``, ``fault`` and the properties; gather it with
``Model``; ``build`` it under a configuration. Nothing here knows of tasks or queues.
"""

from typing import Optional

from onceproof.model.language.budgets import used
from onceproof.model.language.claims import (
    always,
    axiom,
    ending,
    eventually,
    infinitely_often,
    leads_to,
    refines,
    sometimes,
    stays,
    step,
    until,
    within,
)
from onceproof.model.language.composites import Bag, Seq, Set
from onceproof.model.language.declare import (
    Fairness,
    action,
    choose,
    choose_from,
    fault,
    first,
    given,
    in_turn,
    last,
    require,
    require_not_none,
)
from onceproof.model.language.errors import ConfigError, ModelError
from onceproof.model.language.initials import initial
from onceproof.model.language.model import ANY, Config, Model
from onceproof.model.language.signatures import exists, field, forall, parameter, switch
from onceproof.model.language.sorts import Count, Fresh, Int, Ordered, Sort
from onceproof.model.language.state import State
from onceproof.model.language.system import Step, System, Violation, build
from onceproof.model.language.value_kinds import record

__all__ = [
    "ANY",
    "Bag",
    "Config",
    "ConfigError",
    "Count",
    "Fairness",
    "Fresh",
    "Int",
    "Model",
    "ModelError",
    "Optional",
    "Ordered",
    "Seq",
    "Set",
    "Sort",
    "State",
    "Step",
    "System",
    "Violation",
    "action",
    "always",
    "axiom",
    "build",
    "choose",
    "choose_from",
    "ending",
    "eventually",
    "exists",
    "fault",
    "field",
    "first",
    "forall",
    "given",
    "in_turn",
    "infinitely_often",
    "initial",
    "last",
    "leads_to",
    "parameter",
    "record",
    "refines",
    "require",
    "require_not_none",
    "sometimes",
    "stays",
    "step",
    "switch",
    "until",
    "used",
    "within",
]
