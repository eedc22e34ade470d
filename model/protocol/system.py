"""The whole protocol put together: one model of the life of a task, from its client to its function and back."""

from collections.abc import Mapping

from onceproof.model.language import Config, ConfigError, Model, ending, forall
from onceproof.model.protocol import (
    agent,
    api_server,
    client,
    invariant,
    load_balancer,
    network,
    queue,
    relay,
    resource_manager,
    scheduler,
    task_store,
)
from onceproof.model.protocol.state import Platform
from onceproof.model.protocol.vocabulary import Message, Outbox, Post, Stage, Submission, Task


@ending
def all_settled(st: Platform) -> bool:
    """Nothing is on its way: no call open, no row to relay, no message that is not deleted."""
    return (
        forall(Message, lambda message: st.stage[message] in (Stage.ABSENT, Stage.DELETED))
        and forall(Task, Submission, lambda t, s: st.outbox[t, s] in (Outbox.EMPTY, Outbox.RELAYED))
        and forall(Task, Submission, lambda t, s: st.post[t, s] == Post.NONE and not st.admitting[t, s])
    )


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
    {"__name__": "system", "all_settled": all_settled},
    derive=message_pool,
    together={"exactly_once": ("at_most_once", "no_lost_task")},
)
