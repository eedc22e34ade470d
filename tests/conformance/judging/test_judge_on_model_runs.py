"""Random runs of the protocol, written as histories: the judge says of them what the model's own properties say."""

import random
from collections.abc import Iterator

import pytest

from onceproof import build
from onceproof.conformance.judging.events import What
from onceproof.conformance.judging.judge import Options, judge
from onceproof.conformance.judging.table import EventTable
from onceproof.model.checker.explicit.engine import check
from onceproof.model.language.layout import State
from onceproof.model.language.system import Step, System
from onceproof.model.protocol.system import PROTOCOL

SECOND = 1_000_000_000
LEASE = 1000 * SECOND
# What the judge calls the violation of a property of the model, if a log shows it for certain.
CLASSES = {
    "at_most_once": {"concurrent_starts", "sequential_starts", "restarted_after_death", "started_again"},
    "delete_after_completion": {"acknowledged_unfinished"},
    "settled_by_holder": {"stale_receipt_accepted"},
}
# A lease that lapses leaves no line in a log: a stale receipt shows only if another has received the message by then.
NOT_ALWAYS_LOGGED = {"settled_by_holder"}
SETTINGS: list[tuple[dict[str, bool], dict[str, int | None]]] = [
    ({}, {"scheduler_crash": 1, "reply_loss": 1, "request_loss": 1}),
    ({"agent_dedup": False}, {"request_duplication": 2}),
    ({"sticky_placement": False}, {"scheduler_crash": 1}),
    ({"task_id_dedup": False}, {"response_loss": 1}),
    ({"fail_on_agent_loss": False}, {"agent_crash": 1}),
    ({"retain_until_delete": False}, {"reply_loss": 2}),
    ({"delete_after_result": False}, {"scheduler_crash": 1}),
    ({"receipt_fencing": False}, {"scheduler_pause": 1}),
]


def random_run(system: System, seed: int, steps: int = 60) -> list[tuple[Step, State]]:
    """Steps chosen at random, each with the state after it."""
    r, state, run = random.Random(seed), system.initial, list[tuple[Step, State]]()
    for _ in range(steps):
        choices = list(system.successors(state))
        if not choices:
            break
        run.append(r.choice(choices))
        state = run[-1][1]
    return run


def log_of(system: System, run: list[tuple[Step, State]]) -> EventTable:
    """A run as a history, a step a second; it was watched for long after its end."""
    table = EventTable()
    table.open_file("run")
    for second, (step, after) in enumerate(run):
        for what, task, worker, attempt in events_of(system, step, after):
            table.add(second, second * SECOND, what, task, worker, attempt)
    # Another task shows that this log has ends; then it was watched for long.
    table.add(len(run), len(run) * SECOND, What.STARTED, "other", "elsewhere")
    table.add(len(run), len(run) * SECOND, What.FINISHED, "other", "elsewhere")
    table.add(len(run), len(run) * SECOND + 2 * LEASE, What.END, None)
    return table


def false_along(system: System, run: list[tuple[Step, State]]) -> set[str]:
    """The properties of interest that are false in a state of a run."""
    claims = [claim for claim in system.properties() if claim.name in CLASSES]
    return {
        claim.name
        for _, state in run
        for claim in claims
        if any(system.holds(claim, state, arguments) is False for arguments in system.instances(claim))
    }


def events_of(system: System, step: Step, after: State) -> Iterator[tuple[What, str | None, str | None, int | None]]:
    """What a log would say of a step: nothing of what happens on the wire or in memories."""
    named = system.named_arguments(step)
    shown = system.layout.show(after)
    message, task = named.get("message"), named.get("task")
    if message is not None and task is None:
        task = shown["task_of"][message]
    worker = named.get("agent") if step.action in ("start", "finish", "function_failure") else named.get("scheduler")
    attempt = int(named["attempt"].removeprefix("attempt")) if "attempt" in named else None
    simple = {
        "submit": What.SUBMITTED,
        "receive": What.RECEIVED,
        "renew": What.RENEWED,
        "start": What.STARTED,
        "finish": What.FINISHED,
        "function_failure": What.FAILED,
        "delete": What.DELETED,
        "stop": What.STOPPED,
        "fail_lost": What.STOPPED,
        "expire": What.STOPPED,
    }
    if step.action in simple:
        yield simple[step.action], task, worker, attempt
        if step.action == "receive" and shown["stage"][message or ""] == "DELETED":
            yield What.DELETED, task, worker, attempt
    elif step.action == "hear_answer":
        answer = shown["call"][",".join(named[key] for key in ("task", "submission") if key in named)]
        yield What.ACCEPTED if answer == "ACCEPTED" else What.REFUSED, task, None, None
    elif step.action in ("agent_crash", "scheduler_crash"):
        yield What.FAULT, None, named.get("agent") or named.get("scheduler"), None


def agree(system: System, run: list[tuple[Step, State]], hint: str) -> set[str]:
    """The properties that are false along a run; the judge must find their classes, and no others."""
    false = false_along(system, run)
    proven = {each.anomaly.name for each in judge(log_of(system, run), Options(lease=LEASE)).findings if each.proven}
    for name, classes in CLASSES.items():
        shown = bool(proven & classes)
        assert not shown or name in false, f"{name}: a false alarm, {proven}, {hint}"
        assert shown or name not in false or name in NOT_ALWAYS_LOGGED, f"{name}: missed, {proven}, {hint}"
    return false


@pytest.mark.parametrize("number", range(len(SETTINGS)))
def test_judge_agrees_with_the_properties_of_the_model(number: int) -> None:
    switches, budgets = SETTINGS[number]
    sizes = {"tasks": 1, "submissions": 2 if "response_loss" in budgets else 1}
    system = build(PROTOCOL, PROTOCOL.configure(sizes, switches, budgets))
    for seed in range(40):
        agree(system, random_run(system, seed), f"seed {seed}")
    broken = [each for each in check(system).properties if each.name in CLASSES and each.counterexample is not None]
    assert bool(broken) == bool(switches), "without a violation the comparison would be vacuous"
    for each in broken:
        assert each.counterexample is not None
        trace = each.counterexample.trace
        run = list(zip(trace.steps, trace.states[1:], strict=True))
        assert each.name in agree(system, run, f"the counterexample of {each.name}")
