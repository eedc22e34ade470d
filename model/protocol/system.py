"""The whole protocol put together: one model of the life of a task, from its client to its function and back."""

from collections.abc import Mapping

from onceproof.model.language import Config, ConfigError, Model, ending, forall, refines
from onceproof.model.protocol import (
    agent,
    api_server,
    client,
    invariant,
    load_balancer,
    network,
    promise,
    queue,
    relay,
    resource_manager,
    scheduler,
    task_store,
)
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Attempt, Message, Outbox, Outcome, Post, Stage, Submission, Task


@ending
def all_settled(st: Platform) -> bool:
    """Nothing is on its way: no call open, no row to relay, no message that is not deleted."""
    return (
        forall(Message, lambda message: st.stage[message] in (Stage.ABSENT, Stage.DELETED))
        and forall(Task, Submission, lambda t, s: st.outbox[t, s] in (Outbox.EMPTY, Outbox.RELAYED))
        and forall(Task, Submission, lambda t, s: st.post[t, s] == Post.NONE and not st.admitting[t, s])
    )


@refines(promise, optional=True)
def keeps_its_promise(st: Platform, spec: promise.Promise) -> None:
    """Each step, and each fault, accepts a task, starts an attempt of it or ends it: once, or it does none of that."""
    for task in Task:
        spec.accepted[task] = st.recorded[task]
        spec.ended[task] = sum(st.task_of[m] == task and st.outcome[m] != Outcome.OPEN for m in Message)
        for attempt in Attempt:
            spec.started[task, attempt] = st.starts[task, attempt]


def message_pool(config: Config, given: Mapping[str, int]) -> Mapping[str, int]:
    """How many message ids suffice: one for each row that is relayed, and one more for each time it is relayed twice.

    Raises ConfigError where no number suffices and none was given.
    """
    if "messages" in given:
        return {}
    rows = config.sizes["tasks"] * (1 if config.switches["task_id_dedup"] else config.sizes["submissions"])
    if config.switches["idempotent_relay"] or not config.switches["atomic_admission"]:
        return {"messages": rows}
    again = config.budgets["relay_crash"]
    if again is None:
        raise ConfigError(
            "relay_crash: any with idempotent_relay off makes any number of messages; say how many: sizes.messages",
            "relay_crash",
        )
    return {"messages": rows * (1 + again)}


PROTOCOL = Model(
    "task-dispatch",
    client,
    api_server,
    task_store,
    relay,
    queue,
    load_balancer,
    scheduler,
    resource_manager,
    network,
    agent,
    invariant,
    {"__name__": "system", "all_settled": all_settled, "keeps_its_promise": keeps_its_promise},
    derive=message_pool,
    together={"exactly_once": ("at_most_once", "no_lost_task")},
)
