"""A language for models: ordinary Python over declared fields, run on values, or read into terms.

Write a model with ``Sort``, ``field``, ``switch``, ``action``, ``fault`` and the properties; gather it with ``Model``;
``build`` it under a configuration. Nothing here knows of tasks or queues.
"""

from typing import Optional

from onceproof.model.language.declare import (
    Fairness,
    State,
    action,
    always,
    axiom,
    ending,
    eventually,
    exists,
    fault,
    field,
    forall,
    given,
    in_turn,
    require,
    sometimes,
    switch,
)
from onceproof.model.language.errors import ConfigError, ModelError
from onceproof.model.language.model import ANY, Config, Model
from onceproof.model.language.sorts import Count, Fresh, Sort
from onceproof.model.language.system import Step, System, Violation, build

__all__ = [
    "ANY",
    "Config",
    "ConfigError",
    "Count",
    "Fairness",
    "Fresh",
    "Model",
    "ModelError",
    "Optional",
    "Sort",
    "State",
    "Step",
    "System",
    "Violation",
    "action",
    "always",
    "axiom",
    "build",
    "ending",
    "eventually",
    "exists",
    "fault",
    "field",
    "forall",
    "given",
    "in_turn",
    "require",
    "sometimes",
    "switch",
]
