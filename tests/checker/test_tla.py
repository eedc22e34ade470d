"""Exported TLA+ has the same states, counted by an interpreter that shares nothing with us."""

from __future__ import annotations

import inspect
import re

import pytest

from model.checker.explore import check
from model.checker.results import Verdict
from model.checker.tla import export
from model.language import build
from model.protocol.system import PROTOCOL
from tests.checker.tla_interpreter import Module
from tests.models.jugs import JUGS
from tests.models.philosophers import PHILOSOPHERS


def system_of(model=PROTOCOL, sizes=None, faults=None, off=()):
    return build(model, model.configure(sizes or {}, dict.fromkeys(off, False), faults or {}))


SMALL = {
    "jugs": (JUGS, {}),
    "philosophers": (PHILOSOPHERS, {}),
    "three-philosophers": (PHILOSOPHERS, {"sizes": {"philosophers": 3, "forks": 3}, "off": ["polite"]}),
    "no-fault": (PROTOCOL, {}),
    "reply-loss": (PROTOCOL, {"faults": {"reply_loss": 1}}),
    "agent-crash": (PROTOCOL, {"faults": {"agent_crash": 1}, "sizes": {"schedulers": 1}}),
    "any-crash": (
        PROTOCOL,
        {"faults": {"scheduler_crash": None, "agent_recycle": 1}, "sizes": {"schedulers": 1, "agents": 1}},
    ),
    "no-outbox": (PROTOCOL, {"sizes": {"submissions": 2}, "faults": {"api_crash": 1}, "off": ["atomic_admission"]}),
    "retries": (PROTOCOL, {"sizes": {"attempts": 2, "schedulers": 1}, "faults": {"function_failure": 2}}),
    "stop-and-expiry": (PROTOCOL, {"sizes": {"stops": 1, "expiries": 1}}),
    "request-twice": (PROTOCOL, {"faults": {"request_duplication": 1}, "off": ["agent_dedup"]}),
    "relayed-twice": (
        PROTOCOL,
        {"faults": {"relay_crash": 1}, "off": ["idempotent_relay"], "sizes": {"schedulers": 1, "agents": 1}},
    ),
    "much-off": (PROTOCOL, {"off": ["delete_after_result", "owner_epoch", "sticky_placement", "join_running"]}),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_same_states(name):
    model, settings = SMALL[name]
    system = system_of(model, **settings)
    properties = [claim for claim in system.properties() if claim.kind != "eventually"]
    text, configuration = export(system, "Exported", properties)
    module = Module(text)
    always = [claim.name for claim in properties if claim.kind == "always"]
    never = [f"never_{claim.name}" for claim in properties if claim.kind == "sometimes"]
    states, transitions, depth, broken = module.explore(always + never)
    result = check(system, properties)
    assert (states, transitions, depth) == (result.states, result.transitions, result.depth)
    violated = {p.name for p in result.properties if p.kind == "always" and p.verdict is Verdict.VIOLATED}
    shown = {f"never_{p.name}" for p in result.properties if p.kind == "sometimes" and p.verdict is Verdict.HOLDS}
    assert broken == violated | shown
    assert {f"INVARIANT {name}" for name in always} <= set(configuration.splitlines())


def lines_of(function, seen=frozenset()) -> int:
    """The lines of a function and of the helpers that it calls, which TLA+ has inside the operator."""
    lines = len([line for line in inspect.getsource(function).splitlines() if line.strip()])
    for name in function.__code__.co_names:
        helper = function.__globals__.get(name)
        if inspect.isfunction(helper) and helper.__module__.startswith("model.protocol") and name not in seen:
            lines += lines_of(helper, seen | {name})
    return lines


def test_no_operator_is_longer_than_the_python_it_came_from():
    budgets = dict.fromkeys(PROTOCOL.faults, 1)
    system = system_of(faults=budgets, sizes={"attempts": 2, "submissions": 2, "stops": 1, "expiries": 1})
    text, _ = export(system, "Exported", system.properties())
    for name, action in system.actions.items():
        operator = re.search(rf"^(?:can_{name}\(.*\n)?{name}(?:\(.*\))? ==\n(?:  .*\n)*", text, re.MULTILINE)
        assert operator, name
        assert operator.group().count("\n") <= lines_of(action.function), name


def test_promises_and_fairness_are_exported():
    text, configuration = export(system_of(faults={"scheduler_crash": 1}), "Exported", system_of().properties())
    Module(text)
    assert "no_lost_task == \\A task \\in Task : " in text and " ~> " in text
    assert "WF_vars(receive(scheduler, message))" in text
    assert "WF_vars(scheduler_crash" not in text
    assert "WF_vars(submit" not in text
    assert "PROPERTY no_lost_task" in configuration and "SPECIFICATION Spec" in configuration
    strong, _ = export(system_of(PHILOSOPHERS), "Exported", [])
    assert "SF_vars(eat(philosopher))" in strong
